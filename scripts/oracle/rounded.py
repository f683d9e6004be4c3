"""Rounds all floats of a fixture, so that its file is short."""


def rounded(value, digits=8):
    """`value` with its floats at this number of significant digits, within lists and dictionaries too."""
    if isinstance(value, list):
        return [rounded(item, digits) for item in value]
    if isinstance(value, dict):
        return {key: rounded(item, digits) for key, item in value.items()}
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value
