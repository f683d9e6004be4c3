import numpy as np


def four_bits(weight, block=64):
    """A weight [out, in] as this project's int4 bases have it: the elements of a block share a scale; of two candidates, it is the one with the
    smaller squared error."""
    def rounded(values):
        extreme = values[np.abs(values).argmax()]
        forms = [s * (np.clip(np.floor(values / s + 8.5), 0, 15) - 8) for s in (np.float32(abs(extreme) / 7), np.float32(extreme / -8))]
        return min(forms, key=lambda form: ((values - form) ** 2).sum())
    return np.array([rounded(values) for values in np.asarray(weight, np.float64).reshape(-1, block)]).reshape(weight.shape)
