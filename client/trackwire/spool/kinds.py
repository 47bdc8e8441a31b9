"""What records there are. Apart from the files that hold them, so that who logs need not load those."""

from enum import IntEnum


class RecordKind(IntEnum):
    """What a record says. Numbers are stored: they are never used again for something else."""

    CREATE_RUN = 1
    INGEST = 2
    LOG_PARAMS = 3
    SET_TAGS = 4
    DELETE_TAG = 5
    UPDATE_RUN = 6
    UPLOAD = 7
    END = 8
    LOG_INPUTS = 9
