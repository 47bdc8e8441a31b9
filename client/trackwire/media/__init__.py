"""What is logged that is no number: values of the training's own packages, each written as one local file.

Pure functions: no run, no spool and no network. A heavy package is imported by the function that needs it, only then.
"""
