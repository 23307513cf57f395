class AttrDict(dict):
    """A dictionary whose keys are attributes too."""

    __getattr__ = dict.__getitem__
    __setattr__ = dict.__setitem__
