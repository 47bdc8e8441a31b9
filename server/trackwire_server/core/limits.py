"""Every limit of the server, in one place."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes are inclusive maxima. Where MLflow has a limit, it is the same or wider; nothing is ever cut short."""

    # Names and values, in characters.
    key_characters: int = 250
    param_value_characters: int = 65_536
    tag_value_characters: int = 65_536
    experiment_name_characters: int = 500
    run_name_characters: int = 250
    run_id_characters: int = 256
    user_id_characters: int = 256
    request_id_characters: int = 64
    writer_id_characters: int = 64
    uri_characters: int = 2_048
    model_name_characters: int = 250
    alias_characters: int = 255
    registry_tag_value_characters: int = 100_000
    description_characters: int = 65_536
    model_id_characters: int = 64
    logged_model_name_characters: int = 500
    model_type_characters: int = 500
    dataset_name_characters: int = 500
    dataset_digest_characters: int = 36
    dataset_source_type_characters: int = 250
    dataset_source_characters: int = 65_535
    dataset_schema_characters: int = 1_048_575
    dataset_profile_characters: int = 16_777_215
    input_tag_key_characters: int = 255
    input_tag_value_characters: int = 500
    issue_id_characters: int = 64
    issue_name_characters: int = 250
    issue_category_characters: int = 250
    issue_list_entries: int = 100
    evaluation_dataset_name_characters: int = 500
    evaluation_id_characters: int = 64
    evaluation_tag_key_characters: int = 255
    filter_characters: int = 16_384
    order_by_clauses: int = 16

    # Entries in one request.
    entries_per_request: int = 1_000
    entries_per_import: int = 100_000
    experiments_per_search: int = 1_000
    datasets_per_search: int = 100
    runs_per_read: int = 1_000
    keys_per_read: int = 1_000
    points_per_log: int = 10_000
    points_per_series_sampled: int = 100_000
    points_per_ingest: int = 1_048_576
    series_per_ingest: int = 65_536
    message_bytes: int = 32 * 1024 * 1024
    # Of a request that is JSON: as objects it takes twenty times as much.
    json_message_bytes: int = 8 * 1024 * 1024
    evaluation_records_per_request: int = 100_000
    evaluation_record_bytes: int = 4 * 1024 * 1024
    # Arrays and objects within each other.
    json_levels: int = 200

    # Pages: the default where a request says 0, and the maximum.
    page_size_default: int = 1_000
    experiments_page_size: int = 50_000
    runs_page_size: int = 50_000
    models_page_size_default: int = 100
    models_page_size: int = 1_000
    versions_page_size: int = 200_000
    logged_models_page_size_default: int = 100
    logged_models_page_size: int = 50_000
    issues_page_size_default: int = 100
    issues_page_size: int = 50_000
    artifacts_page_size: int = 10_000
    summaries_page_size: int = 10_000
    datasets_page_size: int = 1_000
    run_keys_page_size: int = 10_000
    evaluation_datasets_page_size_default: int = 100
    evaluation_datasets_page_size: int = 50_000
    evaluation_records_page_size: int = 10_000
    # A page of records ends sooner once it has so many bytes.
    evaluation_records_page_bytes: int = 16 * 1024 * 1024

    # The ingest queue. Past it, requests are refused with RESOURCE_EXHAUSTED.
    queue_points: int = 8 * 1_048_576
    queue_bytes: int = 128 * 1024 * 1024
    queue_requests: int = 10_000
    # What one transaction of the committer takes in.
    group_points: int = 262_144
    group_requests: int = 512

    # Artifacts.
    artifact_path_characters: int = 1_024
    artifact_path_part_bytes: int = 255
    upload_id_characters: int = 64
    artifact_bytes: int = 5 * 1024**4
    artifact_part_bytes: int = 4 * 1024 * 1024
    # Of a file that comes around the server; what is told of them fits into a message.
    upload_parts: int = 1_000
    upload_part_bytes: int = 5 * 1024**3
    upload_part_bytes_min: int = 5 * 1024 * 1024
    parts_id_characters: int = 1_024
    upload_expiry_seconds: int = 24 * 3_600
    url_expiry_seconds: int = 3_600

    # Streams.
    read_message_points: int = 65_536
    # A tail holds one of the server's calls for as long as its client likes: others must find room beside them.
    tails: int = 1_024


LIMITS = Limits()
