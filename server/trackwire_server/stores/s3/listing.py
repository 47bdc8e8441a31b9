"""Entries of a folder by name, from keys in the order of their bytes.

S3 has a folder behind all that only begins with its name, since "/" is behind " !#$%&'()*+,-.":

    S3:    a-1   a-2   a.txt   a/      names:    a/   a-1   a-2   a.txt

So a page of keys lacks just those folders whose names its last key begins with, followed by such a character. There are
few of them: they are asked for by name, and the page is complete up to its end.
"""

from collections.abc import Collection, Iterator

from trackwire_server.core.entities import Artifact
from trackwire_server.stores.s3.bucket import LIST_KEYS_MAX, Bucket, KeyPage


async def entries_of(
    bucket: Bucket,
    prefix: str,
    *,
    after: str,
    limit: int,
    hidden: Collection[str] = (),
    keys_at_once: int = LIST_KEYS_MAX,
) -> list[Artifact]:
    """Entries right below a prefix whose names follow `after`, by name; without those that are hidden."""
    found: dict[str, Artifact] = {}
    page: KeyPage | None = None
    while len(found) < limit and (page is None or page.next_token):
        start, token = (f"{prefix}{after}" if after else "", "") if page is None else ("", page.next_token)
        page = await bucket.list_page(prefix, after=start, token=token, delimiter="/", limit=keys_at_once)
        for facts in page.objects:
            name = facts.key[len(prefix) :]
            # Where both have a name, a folder holds more.
            found.setdefault(name, Artifact(name, False, facts.size_bytes, facts.modification_time_ms))
        found |= {name: Artifact(name, is_dir=True) for name in (key[len(prefix) : -1] for key in page.prefixes)}
        if page.next_token:
            for name in _folders_behind(page.last[len(prefix) :]):
                if name not in found and (await bucket.list_page(f"{prefix}{name}/", limit=1)).objects:
                    found[name] = Artifact(name, is_dir=True)
        # An empty name is the mark that some consoles make of a folder; what came before is of an earlier page.
        found = {name: entry for name, entry in found.items() if name > after and name not in hidden}
    return [found[name] for name in sorted(found)[:limit]]


def _folders_behind(last: str) -> Iterator[str]:
    """Names of folders that stand before `last` by name, and whose keys are behind it."""
    for position, character in enumerate(last):
        if character == "/":
            return
        if character < "/" and position:
            yield last[:position]
