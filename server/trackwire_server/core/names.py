"""Names for runs that people can say: adjective-noun-NNN, at most 20 characters."""

import hashlib


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ADJECTIVES = _words(
    """
    agile amber ample apt azure bold brave breezy bright brisk calm candid cheery civil clear clever cosmic cozy
    crisp curious daring deft dusky eager earnest easy fabled fair fancy fleet fluent frosty gentle gilded glad
    golden grand hardy hazel hearty humble ideal jolly keen kind lively lucid lunar mellow merry mighty misty modest
    neat nimble noble patient placid plucky polar proud quick quiet rapid rare rustic sage sandy serene silent
    silver sleek snowy solar solid spry stable steady sturdy subtle sunny swift tidy tranquil true upbeat vast
    velvet vivid warm wise witty zesty
    """
)
NOUNS = _words(
    """
    acorn alder aspen atlas badger basin beacon beaver birch bison brook canyon cedar cliff comet condor coral crane
    creek curlew delta dune eagle elk ember falcon fern finch fjord fox galaxy geyser glade grove gull harbor hare
    hawk heron hill ibex inlet island jay kestrel lagoon lake larch lark lemur lynx magpie maple marlin marten
    meadow mesa moose moth oak ocean orca osprey otter owl peak pine plover pond puffin quail raven reef ridge river
    robin salmon seal shore sparrow spruce star stork summit swan teal thrush tide tundra valley wave willow wolf
    wren
    """
)


def readable_name(seed: str) -> str:
    """The name that belongs to a seed; a random seed makes a random name."""
    digest = hashlib.blake2s(seed.encode(), digest_size=12).digest()
    adjective, noun, number = (int.from_bytes(digest[start : start + 4]) for start in (0, 4, 8))
    return f"{ADJECTIVES[adjective % len(ADJECTIVES)]}-{NOUNS[noun % len(NOUNS)]}-{number % 1000:03d}"
