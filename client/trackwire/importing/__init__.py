"""Takes over what another tracking server keeps: `trackwire import`.

    source      reads MLflow, by its own client
    entities    its entities as messages of `trackwire.v1`
    points      histories as columns, sent on several requests at a time
    files       artifacts, several at a time
    runs        a run with all that it has: verified, and finished last
    issues      those of an experiment
    experiments an experiment with all that is in it
    evaluation_datasets  evaluation datasets with their records
    registry    logged models, registered models and versions
    tally       what was found, copied, there already and failed; says how far it is
    importer    the order of it all

All but `tally`, `points` and `runs` know mlflow's entities.
"""
