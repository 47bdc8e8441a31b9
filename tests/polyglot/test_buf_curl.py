"""A shell without any .proto file talks to the server, by the very lines that README prints."""

import json

import pytest
from tests.docs.documents import README, block_of
from tests.docs.reader import Shell


def documents_in(text: str) -> list[dict[str, object]]:
    """JSON documents that were printed one after the other."""
    decoder, documents = json.JSONDecoder(), []
    while text.strip():
        document, end = decoder.raw_decode(text.lstrip())
        documents.append(document)
        text = text.lstrip()[end:]
    return documents


@pytest.mark.timeout(180)
def test_readme_lines_create_a_run_log_and_read_back(shell: Shell) -> None:
    created, logged, *read, ended = documents_in(shell(block_of(README, "shell")))
    assert created["created"] is True
    assert logged == {"storedPoints": "2"}
    assert read[0]["series"] == [{"runId": "from-a-shell", "key": "loss"}]
    assert read[0]["steps"] == ["1", "2"]
    assert read[0]["values"] == [0.5, 0.25]
    assert read[-1]["tailToken"]
    assert "RUN_STATUS_FINISHED" in json.dumps(ended)


def test_refusal_is_printed_with_its_code_and_field(shell: Shell) -> None:
    call, _, _ = block_of(README, "shell").partition("\n\n")
    answer = shell(f'{call}\ncall RunService/GetRun \'{{"run_id": "nobody"}}\' 2>&1 || true')
    assert '"code": "not_found"' in answer
    assert "google.rpc.ErrorInfo" in answer
    assert "nobody" in answer
