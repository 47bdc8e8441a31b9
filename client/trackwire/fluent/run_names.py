"""Names for runs that nobody has named: people can say them, and no server needs to be asked."""

import os

_ADJECTIVES = """
    able airy apt bold brisk calm chief civil clear cool crisp deft dry eager early even fair fast fine firm first fit
    fond free fresh full glad good grand great green happy high huge just keen kind large light lively long loud lucky
    merry mild neat new nice old open plain prime proud pure quick quiet rapid rare ready rich sharp sure warm
    """
_NOUNS = """
    ant ash bay bear bee bird boat book brook bud cat cave chord clay cloud coast crow dawn deer dove drum duck field
    fire fish flame flute frost gate goat grass grain harp herd horse island leaf lily lion moon moss mouse nest palm
    peach pear pearl pebble plum rain reed root rose sail sand seed snow song spark stone sun tree tulip wind
    """


def new_run_name() -> str:
    """adjective-noun-NNN."""
    adjective, noun, *number = os.urandom(4)
    adjectives, nouns = _ADJECTIVES.split(), _NOUNS.split()
    return f"{adjectives[adjective % len(adjectives)]}-{nouns[noun % len(nouns)]}-{int.from_bytes(number) % 1000:03d}"
