-- The schema of version 1 as SQLite wrote it down. Never changed: migrations begin here.

CREATE TABLE schema_migrations (
	version INTEGER NOT NULL,
	applied_time_ms BIGINT NOT NULL,
	CONSTRAINT pk_schema_migrations PRIMARY KEY (version)
);

CREATE TABLE experiments (
	experiment_no INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	workspace VARCHAR(250) DEFAULT 'default' NOT NULL,
	name VARCHAR(500) NOT NULL,
	artifact_location VARCHAR(2048) DEFAULT '' NOT NULL,
	lifecycle_stage VARCHAR(16) DEFAULT 'active' NOT NULL,
	creation_time_ms BIGINT NOT NULL,
	last_update_time_ms BIGINT NOT NULL,
	deleted_time_ms BIGINT,
	CONSTRAINT uq_experiments_name UNIQUE (workspace, name)
);

CREATE TABLE metric_keys (
	key_no INTEGER NOT NULL,
	"key" VARCHAR(250) NOT NULL,
	CONSTRAINT pk_metric_keys PRIMARY KEY (key_no),
	CONSTRAINT uq_metric_keys_key UNIQUE ("key")
);

CREATE TABLE metric_contexts (
	context_no INTEGER NOT NULL,
	rank INTEGER NOT NULL,
	model_id VARCHAR(64) DEFAULT '' NOT NULL,
	dataset_name VARCHAR(500) DEFAULT '' NOT NULL,
	dataset_digest VARCHAR(36) DEFAULT '' NOT NULL,
	CONSTRAINT pk_metric_contexts PRIMARY KEY (context_no),
	CONSTRAINT uq_metric_contexts UNIQUE (rank, model_id, dataset_name, dataset_digest)
);

CREATE INDEX ix_metric_contexts_model_id ON metric_contexts (model_id);

CREATE TABLE registered_models (
	model_no INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	workspace VARCHAR(250) DEFAULT 'default' NOT NULL,
	name VARCHAR(250) NOT NULL,
	description TEXT DEFAULT '' NOT NULL,
	creation_time_ms BIGINT NOT NULL,
	last_update_time_ms BIGINT NOT NULL,
	last_version INTEGER DEFAULT 0 NOT NULL,
	CONSTRAINT uq_registered_models_name UNIQUE (workspace, name)
);

CREATE TABLE experiment_tags (
	experiment_no INTEGER NOT NULL,
	"key" VARCHAR(250) NOT NULL,
	value TEXT NOT NULL,
	CONSTRAINT pk_experiment_tags PRIMARY KEY (experiment_no, "key"),
	CONSTRAINT fk_experiment_tags_experiment_no FOREIGN KEY(experiment_no) REFERENCES experiments (experiment_no) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE TABLE runs (
	run_no INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	run_id VARCHAR(256) NOT NULL,
	experiment_no INTEGER NOT NULL,
	run_name VARCHAR(250) NOT NULL,
	user_id VARCHAR(256) DEFAULT '' NOT NULL,
	status VARCHAR(16) NOT NULL,
	start_time_ms BIGINT NOT NULL,
	end_time_ms BIGINT,
	lifecycle_stage VARCHAR(16) DEFAULT 'active' NOT NULL,
	deleted_time_ms BIGINT,
	artifact_uri VARCHAR(2600) NOT NULL,
	parent_run_id VARCHAR(256) DEFAULT '' NOT NULL,
	heartbeat_time_ms BIGINT,
	stop_requested BOOLEAN DEFAULT false NOT NULL,
	request_id VARCHAR(64),
	CONSTRAINT uq_runs_run_id UNIQUE (run_id),
	CONSTRAINT uq_runs_request_id UNIQUE (request_id),
	CONSTRAINT fk_runs_experiment_no FOREIGN KEY(experiment_no) REFERENCES experiments (experiment_no) ON DELETE CASCADE
);

CREATE INDEX ix_runs_newest ON runs (experiment_no, lifecycle_stage, start_time_ms, run_id);

CREATE TABLE logged_models (
	logged_model_no INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	model_id VARCHAR(64) NOT NULL,
	experiment_no INTEGER NOT NULL,
	name VARCHAR(500) NOT NULL,
	artifact_uri VARCHAR(2600) NOT NULL,
	model_type VARCHAR(500) DEFAULT '' NOT NULL,
	source_run_id VARCHAR(256) DEFAULT '' NOT NULL,
	status VARCHAR(24) NOT NULL,
	status_message TEXT DEFAULT '' NOT NULL,
	lifecycle_stage VARCHAR(16) DEFAULT 'active' NOT NULL,
	creation_time_ms BIGINT NOT NULL,
	last_update_time_ms BIGINT NOT NULL,
	deleted_time_ms BIGINT,
	request_id VARCHAR(64),
	CONSTRAINT uq_logged_models_model_id UNIQUE (model_id),
	CONSTRAINT uq_logged_models_request_id UNIQUE (request_id),
	CONSTRAINT fk_logged_models_experiment_no FOREIGN KEY(experiment_no) REFERENCES experiments (experiment_no) ON DELETE CASCADE
);

CREATE INDEX ix_logged_models_newest ON logged_models (experiment_no, lifecycle_stage, creation_time_ms, model_id);

CREATE TABLE logged_model_params (
	logged_model_no INTEGER NOT NULL,
	"key" VARCHAR(250) NOT NULL,
	value TEXT NOT NULL,
	CONSTRAINT pk_logged_model_params PRIMARY KEY (logged_model_no, "key"),
	CONSTRAINT fk_logged_model_params_logged_model_no FOREIGN KEY(logged_model_no) REFERENCES logged_models (logged_model_no) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE TABLE logged_model_tags (
	logged_model_no INTEGER NOT NULL,
	"key" VARCHAR(250) NOT NULL,
	value TEXT NOT NULL,
	CONSTRAINT pk_logged_model_tags PRIMARY KEY (logged_model_no, "key"),
	CONSTRAINT fk_logged_model_tags_logged_model_no FOREIGN KEY(logged_model_no) REFERENCES logged_models (logged_model_no) ON DELETE CASCADE
)
 WITHOUT ROWID;


CREATE TABLE logged_model_uploads (
	logged_model_no INTEGER NOT NULL,
	upload_id VARCHAR(64) NOT NULL,
	path VARCHAR(1024) NOT NULL,
	size_bytes BIGINT NOT NULL,
	sha256 BLOB NOT NULL,
	complete BOOLEAN DEFAULT false NOT NULL,
	begin_time_ms BIGINT NOT NULL,
	CONSTRAINT pk_logged_model_uploads PRIMARY KEY (logged_model_no, upload_id),
	CONSTRAINT fk_logged_model_uploads_logged_model_no FOREIGN KEY(logged_model_no) REFERENCES logged_models (logged_model_no) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE INDEX ix_logged_model_uploads_begin_time_ms ON logged_model_uploads (begin_time_ms);

CREATE TABLE registered_model_tags (
	model_no INTEGER NOT NULL,
	"key" VARCHAR(250) NOT NULL,
	value TEXT NOT NULL,
	CONSTRAINT pk_registered_model_tags PRIMARY KEY (model_no, "key"),
	CONSTRAINT fk_registered_model_tags_model_no FOREIGN KEY(model_no) REFERENCES registered_models (model_no) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE TABLE model_versions (
	version_no INTEGER NOT NULL,
	model_no INTEGER NOT NULL,
	version INTEGER NOT NULL,
	description TEXT DEFAULT '' NOT NULL,
	source VARCHAR(2048) NOT NULL,
	run_id VARCHAR(256) DEFAULT '' NOT NULL,
	run_link VARCHAR(2048) DEFAULT '' NOT NULL,
	user_id VARCHAR(256) DEFAULT '' NOT NULL,
	status VARCHAR(24) NOT NULL,
	status_message TEXT DEFAULT '' NOT NULL,
	current_stage VARCHAR(16) DEFAULT 'None' NOT NULL,
	creation_time_ms BIGINT NOT NULL,
	last_update_time_ms BIGINT NOT NULL,
	request_id VARCHAR(64),
	model_id VARCHAR(64) DEFAULT '' NOT NULL,
	storage_location VARCHAR(2048) DEFAULT '' NOT NULL,
	CONSTRAINT pk_model_versions PRIMARY KEY (version_no),
	CONSTRAINT uq_model_versions_version UNIQUE (model_no, version),
	CONSTRAINT uq_model_versions_request_id UNIQUE (request_id),
	CONSTRAINT fk_model_versions_model_no FOREIGN KEY(model_no) REFERENCES registered_models (model_no) ON DELETE CASCADE
);

CREATE INDEX ix_model_versions_run_id ON model_versions (run_id);

CREATE TABLE run_params (
	run_no INTEGER NOT NULL,
	"key" VARCHAR(250) NOT NULL,
	value TEXT NOT NULL,
	CONSTRAINT pk_run_params PRIMARY KEY (run_no, "key"),
	CONSTRAINT fk_run_params_run_no FOREIGN KEY(run_no) REFERENCES runs (run_no) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE TABLE run_tags (
	run_no INTEGER NOT NULL,
	"key" VARCHAR(250) NOT NULL,
	value TEXT NOT NULL,
	CONSTRAINT pk_run_tags PRIMARY KEY (run_no, "key"),
	CONSTRAINT fk_run_tags_run_no FOREIGN KEY(run_no) REFERENCES runs (run_no) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE TABLE run_heads (
	run_no INTEGER NOT NULL,
	arrival BIGINT DEFAULT 0 NOT NULL,
	compacted_arrival BIGINT DEFAULT 0 NOT NULL,
	pruned_arrival BIGINT DEFAULT 0 NOT NULL,
	pending_points BIGINT DEFAULT 0 NOT NULL,
	pending_since_ms BIGINT DEFAULT 0 NOT NULL,
	pending_until_ms BIGINT DEFAULT 0 NOT NULL,
	CONSTRAINT pk_run_heads PRIMARY KEY (run_no),
	CONSTRAINT fk_run_heads_run_no FOREIGN KEY(run_no) REFERENCES runs (run_no) ON DELETE CASCADE
);

CREATE INDEX ix_run_heads_retired ON run_heads (run_no) WHERE pruned_arrival < compacted_arrival;

CREATE INDEX ix_run_heads_pending ON run_heads (run_no) WHERE compacted_arrival < arrival;

CREATE TABLE metric_writers (
	run_no INTEGER NOT NULL,
	writer_id VARCHAR(64) NOT NULL,
	mark BIGINT NOT NULL,
	CONSTRAINT pk_metric_writers PRIMARY KEY (run_no, writer_id),
	CONSTRAINT fk_metric_writers_run_no FOREIGN KEY(run_no) REFERENCES runs (run_no) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE TABLE metric_series (
	series_no INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	run_no INTEGER NOT NULL,
	key_no INTEGER NOT NULL,
	context_no INTEGER NOT NULL,
	CONSTRAINT uq_metric_series UNIQUE (run_no, key_no, context_no),
	CONSTRAINT fk_metric_series_run_no FOREIGN KEY(run_no) REFERENCES runs (run_no) ON DELETE CASCADE,
	CONSTRAINT fk_metric_series_key_no FOREIGN KEY(key_no) REFERENCES metric_keys (key_no),
	CONSTRAINT fk_metric_series_context_no FOREIGN KEY(context_no) REFERENCES metric_contexts (context_no)
);

CREATE TABLE metric_journal (
	journal_no INTEGER NOT NULL,
	run_no INTEGER NOT NULL,
	arrival BIGINT NOT NULL,
	commit_time_ms BIGINT NOT NULL,
	points INTEGER NOT NULL,
	payload BLOB NOT NULL,
	CONSTRAINT pk_metric_journal PRIMARY KEY (journal_no),
	CONSTRAINT uq_metric_journal_arrival UNIQUE (run_no, arrival),
	CONSTRAINT fk_metric_journal_run_no FOREIGN KEY(run_no) REFERENCES runs (run_no) ON DELETE CASCADE
);

CREATE TABLE uploads (
	run_no INTEGER NOT NULL,
	upload_id VARCHAR(64) NOT NULL,
	path VARCHAR(1024) NOT NULL,
	size_bytes BIGINT NOT NULL,
	sha256 BLOB NOT NULL,
	complete BOOLEAN DEFAULT false NOT NULL,
	begin_time_ms BIGINT NOT NULL,
	CONSTRAINT pk_uploads PRIMARY KEY (run_no, upload_id),
	CONSTRAINT fk_uploads_run_no FOREIGN KEY(run_no) REFERENCES runs (run_no) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE INDEX ix_uploads_begin_time_ms ON uploads (begin_time_ms);

CREATE TABLE model_version_tags (
	version_no INTEGER NOT NULL,
	"key" VARCHAR(250) NOT NULL,
	value TEXT NOT NULL,
	CONSTRAINT pk_model_version_tags PRIMARY KEY (version_no, "key"),
	CONSTRAINT fk_model_version_tags_version_no FOREIGN KEY(version_no) REFERENCES model_versions (version_no) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE TABLE registered_model_aliases (
	model_no INTEGER NOT NULL,
	alias VARCHAR(255) NOT NULL,
	version_no INTEGER NOT NULL,
	CONSTRAINT pk_registered_model_aliases PRIMARY KEY (model_no, alias),
	CONSTRAINT fk_registered_model_aliases_model_no FOREIGN KEY(model_no) REFERENCES registered_models (model_no) ON DELETE CASCADE,
	CONSTRAINT fk_registered_model_aliases_version_no FOREIGN KEY(version_no) REFERENCES model_versions (version_no) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE INDEX ix_registered_model_aliases_version_no ON registered_model_aliases (version_no);

CREATE TABLE metric_summaries (
	series_no INTEGER NOT NULL,
	run_no INTEGER NOT NULL,
	experiment_no INTEGER NOT NULL,
	key_no INTEGER NOT NULL,
	context_no INTEGER NOT NULL,
	is_primary BOOLEAN DEFAULT false NOT NULL,
	count BIGINT NOT NULL,
	nan_count BIGINT NOT NULL,
	last_value DOUBLE,
	last_step BIGINT NOT NULL,
	last_time_ms BIGINT NOT NULL,
	first_value DOUBLE,
	first_step BIGINT NOT NULL,
	first_time_ms BIGINT NOT NULL,
	min_value DOUBLE,
	max_value DOUBLE,
	CONSTRAINT pk_metric_summaries PRIMARY KEY (series_no),
	CONSTRAINT fk_metric_summaries_series_no FOREIGN KEY(series_no) REFERENCES metric_series (series_no) ON DELETE CASCADE
);

CREATE INDEX ix_metric_summaries_last ON metric_summaries (experiment_no, key_no, last_value, run_no) WHERE is_primary = 1;

CREATE INDEX ix_metric_summaries_run ON metric_summaries (run_no, key_no) WHERE is_primary = 1;

CREATE INDEX ix_metric_summaries_context ON metric_summaries (context_no, key_no) WHERE context_no != 0;

CREATE TABLE metric_chunks (
	series_no INTEGER NOT NULL,
	ordinal INTEGER NOT NULL,
	points INTEGER NOT NULL,
	first_step BIGINT NOT NULL,
	first_time_ms BIGINT NOT NULL,
	last_step BIGINT NOT NULL,
	last_time_ms BIGINT NOT NULL,
	min_value DOUBLE,
	max_value DOUBLE,
	payload BLOB NOT NULL,
	CONSTRAINT pk_metric_chunks PRIMARY KEY (series_no, ordinal),
	CONSTRAINT fk_metric_chunks_series_no FOREIGN KEY(series_no) REFERENCES metric_series (series_no) ON DELETE CASCADE
)
 WITHOUT ROWID;

INSERT INTO experiments (experiment_no, name, creation_time_ms, last_update_time_ms) VALUES (0, 'Default', 0, 0);

INSERT INTO metric_contexts (context_no, rank) VALUES (0, -1);

INSERT INTO schema_migrations (version, applied_time_ms) VALUES (1, 0);

CREATE TABLE datasets (
	dataset_no INTEGER NOT NULL,
	experiment_no INTEGER NOT NULL,
	name VARCHAR(500) NOT NULL,
	digest VARCHAR(36) NOT NULL,
	source_type VARCHAR(250) DEFAULT '' NOT NULL,
	source TEXT DEFAULT '' NOT NULL,
	schema TEXT DEFAULT '' NOT NULL,
	profile TEXT DEFAULT '' NOT NULL,
	CONSTRAINT pk_datasets PRIMARY KEY (dataset_no),
	CONSTRAINT uq_datasets_name UNIQUE (experiment_no, name, digest),
	CONSTRAINT fk_datasets_experiment_no FOREIGN KEY(experiment_no) REFERENCES experiments (experiment_no) ON DELETE CASCADE
);

CREATE TABLE run_datasets (
	input_no INTEGER NOT NULL,
	run_no INTEGER NOT NULL,
	dataset_no INTEGER NOT NULL,
	context VARCHAR(500) DEFAULT '' NOT NULL,
	CONSTRAINT pk_run_datasets PRIMARY KEY (input_no),
	CONSTRAINT uq_run_datasets_dataset UNIQUE (run_no, dataset_no),
	CONSTRAINT fk_run_datasets_run_no FOREIGN KEY(run_no) REFERENCES runs (run_no) ON DELETE CASCADE,
	CONSTRAINT fk_run_datasets_dataset_no FOREIGN KEY(dataset_no) REFERENCES datasets (dataset_no) ON DELETE CASCADE
);

CREATE INDEX ix_run_datasets_dataset ON run_datasets (dataset_no, context);

CREATE TABLE run_models (
	link_no INTEGER NOT NULL,
	run_no INTEGER NOT NULL,
	is_output BOOLEAN DEFAULT false NOT NULL,
	model_id VARCHAR(64) NOT NULL,
	step BIGINT DEFAULT 0 NOT NULL,
	CONSTRAINT pk_run_models PRIMARY KEY (link_no),
	CONSTRAINT uq_run_models_model UNIQUE (run_no, is_output, model_id),
	CONSTRAINT fk_run_models_run_no FOREIGN KEY(run_no) REFERENCES runs (run_no) ON DELETE CASCADE
);

CREATE TABLE run_dataset_tags (
	input_no INTEGER NOT NULL,
	"key" VARCHAR(255) NOT NULL,
	value TEXT NOT NULL,
	CONSTRAINT pk_run_dataset_tags PRIMARY KEY (input_no, "key"),
	CONSTRAINT fk_run_dataset_tags_input_no FOREIGN KEY(input_no) REFERENCES run_datasets (input_no) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE TABLE issues (
	issue_no INTEGER NOT NULL,
	issue_id VARCHAR(64) NOT NULL,
	experiment_no INTEGER NOT NULL,
	name VARCHAR(250) NOT NULL,
	description TEXT NOT NULL,
	status VARCHAR(16) NOT NULL,
	severity INTEGER,
	root_causes TEXT DEFAULT '[]' NOT NULL,
	source_run_id VARCHAR(256) DEFAULT '' NOT NULL,
	created_by VARCHAR(256) DEFAULT '' NOT NULL,
	last_updated_by VARCHAR(256) DEFAULT '' NOT NULL,
	creation_time_ms BIGINT NOT NULL,
	last_update_time_ms BIGINT NOT NULL,
	last_seen_time_ms BIGINT,
	request_id VARCHAR(64),
	CONSTRAINT pk_issues PRIMARY KEY (issue_no),
	CONSTRAINT uq_issues_issue_id UNIQUE (issue_id),
	CONSTRAINT uq_issues_request_id UNIQUE (request_id),
	CONSTRAINT fk_issues_experiment_no FOREIGN KEY(experiment_no) REFERENCES experiments (experiment_no) ON DELETE CASCADE
);

CREATE INDEX ix_issues_newest ON issues (experiment_no, creation_time_ms, issue_id);

CREATE TABLE issue_categories (
	issue_no INTEGER NOT NULL,
	place INTEGER NOT NULL,
	name VARCHAR(250) NOT NULL,
	CONSTRAINT pk_issue_categories PRIMARY KEY (issue_no, place),
	CONSTRAINT fk_issue_categories_issue_no FOREIGN KEY(issue_no) REFERENCES issues (issue_no) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE TABLE issue_metadata (
	issue_no INTEGER NOT NULL,
	"key" VARCHAR(250) NOT NULL,
	value TEXT NOT NULL,
	CONSTRAINT pk_issue_metadata PRIMARY KEY (issue_no, "key"),
	CONSTRAINT fk_issue_metadata_issue_no FOREIGN KEY(issue_no) REFERENCES issues (issue_no) ON DELETE CASCADE
)
 WITHOUT ROWID;
