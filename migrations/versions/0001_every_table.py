"""Every table, kept apart by tenant from the first day.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from noc.database.bootstrap import APP_ROLE
from noc.database.policies import definer_function, protect

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PARTITIONED = ("phone_event", "location_update", "task_completion")

TENANT_TABLES = (
    "absence",
    "api_token",
    "attendance_anomaly_log",
    "attendance_event",
    "audit_finding",
    "baseline_profile",
    "behavioral_profile",
    "checkpoint",
    "device",
    "fraud_detection_model",
    "fraud_prediction_log",
    "jobneed",
    "location_update",
    "noc_alert_change",
    "noc_alert_event",
    "noc_correlated_incident",
    "noc_event_counter",
    "noc_event_log",
    "noc_incident_alert",
    "noc_ml_model_metrics",
    "noc_user",
    "noc_user_site",
    "person",
    "phone_event",
    "shift",
    "site",
    "task_completion",
    "tenant_setting",
    "ticket",
    "ticket_counter",
    "ticket_event",
    "ticket_evidence",
    "ticket_slot",
    "tour",
    "user_session",
)

SIGNATURES = (
    "noc_tenants()",
    "noc_create_tenant(slug text, name text)",
    "noc_find_login(email text)",
    "noc_find_token(hash bytea)",
    "noc_ensure_partitions(first date, last date)",
)

FUNCTIONS = (
    *definer_function(
        SIGNATURES[0],
        "TABLE (id bigint, slug text, name text)",
        "SELECT t.id, t.slug, t.name FROM tenant t WHERE t.active",
    ),
    *definer_function(
        SIGNATURES[1],
        "bigint",
        """
        WITH made AS (
            INSERT INTO tenant (slug, name) VALUES ($1, $2) RETURNING id
        ), events AS (
            INSERT INTO noc_event_counter (tenant_id) SELECT id FROM made
        ), tickets AS (
            INSERT INTO ticket_counter (tenant_id) SELECT id FROM made
        )
        SELECT id FROM made
        """,
    ),
    *definer_function(
        SIGNATURES[2],
        "TABLE (tenant_id bigint, user_id bigint, password_hash text)",
        """
        SELECT u.tenant_id, u.id, u.password_hash
        FROM noc_user u JOIN tenant t ON t.id = u.tenant_id
        WHERE u.email = $1 AND u.active AND t.active
        """,
    ),
    *definer_function(
        SIGNATURES[3],
        "TABLE (tenant_id bigint, id bigint, name text, capabilities text[], "
        "last_used_at timestamptz)",
        """
        SELECT a.tenant_id, a.id, a.name, a.capabilities, a.last_used_at
        FROM api_token a JOIN tenant t ON t.id = a.tenant_id
        WHERE a.token_hash = $1 AND a.revoked_at IS NULL AND t.active
          AND (a.expires_at IS NULL OR a.expires_at > now())
        """,
    ),
    # The owner makes partitions, since the application role can create nothing. They get no
    # grant: read through the parent, the policy holds; read directly, there would be none.
    *definer_function(
        SIGNATURES[4],
        "void",
        """
        DECLARE
            parent text;
            month date := date_trunc('month', first)::date;
        BEGIN
            IF last < first OR last > first + 4000 THEN
                RAISE EXCEPTION 'partitions from % to % are not for making', first, last;
            END IF;
            WHILE month <= last LOOP
                -- A month's three partitions come with one commit: where one is, all are.
                IF to_regclass('task_completion_p' || to_char(month, 'YYYYMM')) IS NOT NULL THEN
                    month := (month + interval '1 month')::date;
                    CONTINUE;
                END IF;
                PERFORM pg_advisory_xact_lock(4713);
                FOREACH parent IN ARRAY ARRAY['phone_event', 'location_update', 'task_completion']
                LOOP
                    EXECUTE format(
                        'CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                        parent || '_p' || to_char(month, 'YYYYMM'),
                        parent,
                        month::timestamp AT TIME ZONE 'UTC',
                        (month + interval '1 month')::timestamp AT TIME ZONE 'UTC'
                    );
                    -- Not inherited; see noc.database.policies.protect.
                    EXECUTE format(
                        'ALTER TABLE %I ALTER COLUMN tenant_id SET STATISTICS 0',
                        parent || '_p' || to_char(month, 'YYYYMM')
                    );
                END LOOP;
                month := (month + interval '1 month')::date;
            END LOOP;
        END
        """,
        language="plpgsql",
    ),
)


def _protection() -> list[str]:
    statements = [f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}"]
    statements += protect("tenant", "id", grant="SELECT, UPDATE")
    for table in TENANT_TABLES:
        statements += protect(table)
    statements.append(f"GRANT SELECT ON alembic_version TO {APP_ROLE}")
    return statements


def upgrade() -> None:
    op.create_table(
        "tenant",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "simulated",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("slug ~ '^[a-z][a-z0-9-]{1,62}$'", name=op.f("ck_tenant_slug")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenant")),
        sa.UniqueConstraint("slug", name=op.f("uq_tenant_slug")),
    )
    op.create_table(
        "fraud_detection_model",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("model_type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'shadow'"), nullable=False),
        sa.Column("artefact", sa.LargeBinary(), nullable=False),
        sa.Column("artefact_sha256", sa.Text(), nullable=False),
        sa.Column("features", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("thresholds", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("calibration", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("train_samples", sa.BigInteger(), nullable=False),
        sa.Column("class_imbalance_ratio", sa.Double(), nullable=True),
        sa.Column("pr_auc", sa.Double(), nullable=True),
        sa.Column("precision_at_80_recall", sa.Double(), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "is_active = (status = 'active')", name=op.f("ck_fraud_detection_model_active")
        ),
        sa.CheckConstraint(
            "status IN ('shadow', 'active', 'retired', 'rejected')",
            name=op.f("ck_fraud_detection_model_status"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenant.id"],
            name=op.f("fk_fraud_detection_model_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_fraud_detection_model")),
        sa.UniqueConstraint(
            "tenant_id", "version", name=op.f("uq_fraud_detection_model_tenant_id_version")
        ),
    )
    op.create_index(
        "uq_fraud_detection_model_active",
        "fraud_detection_model",
        ["tenant_id"],
        unique=True,
        postgresql_where=sa.text("is_active"),
    )
    op.create_table(
        "noc_event_counter",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenant.id"],
            name=op.f("fk_noc_event_counter_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_noc_event_counter")),
    )
    op.create_table(
        "noc_event_log",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("alert_id", sa.BigInteger(), nullable=True),
        sa.Column("finding_id", sa.BigInteger(), nullable=True),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("broadcast_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("broadcast_latency_ms", sa.Double(), nullable=True),
        sa.Column("broadcast_success", sa.Boolean(), nullable=True),
        sa.Column("recipient_count", sa.BigInteger(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenant.id"],
            name=op.f("fk_noc_event_log_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "seq", name=op.f("pk_noc_event_log")),
        sa.UniqueConstraint("event_id", name=op.f("uq_noc_event_log_event_id")),
    )
    op.create_index(
        "ix_noc_event_log_alert",
        "noc_event_log",
        ["tenant_id", "alert_id"],
        unique=False,
        postgresql_where=sa.text("alert_id IS NOT NULL"),
    )
    op.create_index(
        "ix_noc_event_log_created", "noc_event_log", ["tenant_id", "created_at"], unique=False
    )
    op.create_index(
        "ix_noc_event_log_ticket",
        "noc_event_log",
        ["tenant_id", "ticket_id"],
        unique=False,
        postgresql_where=sa.text("ticket_id IS NOT NULL"),
    )
    op.create_table(
        "noc_user",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "role IN ('viewer', 'operator', 'security_manager', 'admin', 'platform_admin')",
            name=op.f("ck_noc_user_role"),
        ),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_noc_user_email_lower")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_noc_user_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_noc_user")),
        sa.UniqueConstraint("email", name=op.f("uq_noc_user_email")),
    )
    op.create_table(
        "ticket_counter",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_number", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenant.id"],
            name=op.f("fk_ticket_counter_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_ticket_counter")),
    )
    op.create_table(
        "api_token",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("capabilities", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "created_by"],
            ["noc_user.tenant_id", "noc_user.id"],
            name=op.f("fk_api_token_tenant_id_created_by"),
            ondelete="SET NULL (created_by)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_api_token_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_table(
        "noc_ml_model_metrics",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("model_id", sa.Uuid(), nullable=True),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "evaluated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("window_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("samples", sa.BigInteger(), nullable=False),
        sa.Column("positives", sa.BigInteger(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=False),
        sa.Column("precision", sa.Double(), nullable=True),
        sa.Column("recall", sa.Double(), nullable=True),
        sa.Column("f1", sa.Double(), nullable=True),
        sa.Column("pr_auc", sa.Double(), nullable=True),
        sa.Column("brier", sa.Double(), nullable=True),
        sa.Column("psi", sa.Double(), nullable=True),
        sa.Column(
            "detail",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "kind IN ('holdout', 'live', 'backtest')", name=op.f("ck_noc_ml_model_metrics_kind")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "model_id"],
            ["fraud_detection_model.tenant_id", "fraud_detection_model.id"],
            name=op.f("fk_noc_ml_model_metrics_tenant_id_model_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenant.id"],
            name=op.f("fk_noc_ml_model_metrics_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_noc_ml_model_metrics")),
    )
    op.create_index(
        "ix_noc_ml_model_metrics_version",
        "noc_ml_model_metrics",
        ["tenant_id", "model_version", "evaluated_at"],
        unique=False,
    )
    op.create_table(
        "site",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("geofence_radius", sa.Double(), server_default=sa.text("150"), nullable=False),
        sa.Column(
            "geofence_polygon",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
        ),
        sa.Column("security_manager_id", sa.BigInteger(), nullable=True),
        sa.Column("site_manager_id", sa.BigInteger(), nullable=True),
        sa.Column("noc_supervisor_id", sa.BigInteger(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("geofence_radius > 0", name=op.f("ck_site_radius")),
        sa.CheckConstraint("lat BETWEEN -90 AND 90", name=op.f("ck_site_lat")),
        sa.CheckConstraint("lon BETWEEN -180 AND 180", name=op.f("ck_site_lon")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "noc_supervisor_id"],
            ["noc_user.tenant_id", "noc_user.id"],
            name=op.f("fk_site_tenant_id_noc_supervisor_id"),
            ondelete="SET NULL (noc_supervisor_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "security_manager_id"],
            ["noc_user.tenant_id", "noc_user.id"],
            name=op.f("fk_site_tenant_id_security_manager_id"),
            ondelete="SET NULL (security_manager_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_manager_id"],
            ["noc_user.tenant_id", "noc_user.id"],
            name=op.f("fk_site_tenant_id_site_manager_id"),
            ondelete="SET NULL (site_manager_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_site_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_site")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_site_tenant_id_code")),
    )
    op.create_table(
        "user_session",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["noc_user.tenant_id", "noc_user.id"],
            name=op.f("fk_user_session_tenant_id_user_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_user_session_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "secret_hash", name=op.f("pk_user_session")),
    )
    op.create_index("ix_user_session_user", "user_session", ["tenant_id", "user_id"], unique=False)
    op.create_table(
        "baseline_profile",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("metric_type", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("mean", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("m2", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("std_dev", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("sample_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("first_sample_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_sample_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_stable", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("false_positive_rate", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("dynamic_threshold", sa.Double(), server_default=sa.text("3.0"), nullable=False),
        sa.Column("pinned_threshold", sa.Double(), nullable=True),
        sa.Column("last_threshold_update", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "level IN ('hour_of_week', 'hour_of_day', 'all')",
            name=op.f("ck_baseline_profile_level"),
        ),
        sa.CheckConstraint(
            "metric_type IN ('phone_events_count', 'location_updates_count', 'movement_distance_meters', 'tasks_completed_count', 'tour_checkpoints_scanned')",
            name=op.f("ck_baseline_profile_metric_type"),
        ),
        sa.CheckConstraint(
            "dynamic_threshold BETWEEN 1.5 AND 5.0",
            name=op.f("ck_baseline_profile_dynamic_threshold"),
        ),
        sa.CheckConstraint(
            "false_positive_rate BETWEEN 0 AND 1",
            name=op.f("ck_baseline_profile_false_positive_rate"),
        ),
        sa.CheckConstraint(
            "pinned_threshold > 0", name=op.f("ck_baseline_profile_pinned_threshold")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["site.tenant_id", "site.id"],
            name=op.f("fk_baseline_profile_tenant_id_site_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenant.id"],
            name=op.f("fk_baseline_profile_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_baseline_profile")),
        sa.UniqueConstraint(
            "tenant_id",
            "site_id",
            "metric_type",
            "level",
            "slot",
            name=op.f("uq_baseline_profile_tenant_id_site_id_metric_type_level_slot"),
        ),
    )
    op.create_table(
        "noc_user_site",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["site.tenant_id", "site.id"],
            name=op.f("fk_noc_user_site_tenant_id_site_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["noc_user.tenant_id", "noc_user.id"],
            name=op.f("fk_noc_user_site_tenant_id_user_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenant.id"],
            name=op.f("fk_noc_user_site_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", "site_id", name=op.f("pk_noc_user_site")),
    )
    op.create_table(
        "person",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default=sa.text("'guard'"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("home_site_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("kind IN ('guard', 'staff')", name=op.f("ck_person_kind")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "home_site_id"],
            ["site.tenant_id", "site.id"],
            name=op.f("fk_person_tenant_id_home_site_id"),
            ondelete="SET NULL (home_site_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_person_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_person")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_person_tenant_id_code")),
    )
    op.create_index("ix_person_home_site", "person", ["tenant_id", "home_site_id"], unique=False)
    op.create_table(
        "tenant_setting",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["site.tenant_id", "site.id"],
            name=op.f("fk_tenant_setting_tenant_id_site_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenant.id"],
            name=op.f("fk_tenant_setting_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tenant_setting")),
        sa.UniqueConstraint(
            "tenant_id",
            "name",
            "site_id",
            name=op.f("uq_tenant_setting_tenant_id_name_site_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "tour",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["site.tenant_id", "site.id"],
            name=op.f("fk_tour_tenant_id_site_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_tour_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tour")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_tour_tenant_id_code")),
    )
    op.create_table(
        "absence",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), server_default=sa.text("'leave'"), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_absence_span")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["person.tenant_id", "person.id"],
            name=op.f("fk_absence_tenant_id_person_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_absence_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_absence")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_absence_tenant_id_code")),
    )
    op.create_index(
        "ix_absence_person", "absence", ["tenant_id", "person_id", "starts_at"], unique=False
    )
    op.create_table(
        "behavioral_profile",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("days", sa.BigInteger(), server_default=sa.text("90"), nullable=False),
        sa.Column("punches", sa.BigInteger(), nullable=False),
        sa.Column("hour_histogram", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("weekday_histogram", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sites", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("devices", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("metrics", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["person.tenant_id", "person.id"],
            name=op.f("fk_behavioral_profile_tenant_id_person_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenant.id"],
            name=op.f("fk_behavioral_profile_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "person_id", name=op.f("pk_behavioral_profile")),
    )
    op.create_table(
        "checkpoint",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("tour_id", sa.BigInteger(), nullable=True),
        sa.Column("position", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["site.tenant_id", "site.id"],
            name=op.f("fk_checkpoint_tenant_id_site_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tour_id"],
            ["tour.tenant_id", "tour.id"],
            name=op.f("fk_checkpoint_tenant_id_tour_id"),
            ondelete="SET NULL (tour_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_checkpoint_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_checkpoint")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_checkpoint_tenant_id_code")),
    )
    op.create_index(
        "ix_checkpoint_tour", "checkpoint", ["tenant_id", "tour_id", "position"], unique=False
    )
    op.create_table(
        "device",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("last_person_id", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "last_person_id"],
            ["person.tenant_id", "person.id"],
            name=op.f("fk_device_tenant_id_last_person_id"),
            ondelete="SET NULL (last_person_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["person.tenant_id", "person.id"],
            name=op.f("fk_device_tenant_id_person_id"),
            ondelete="SET NULL (person_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_device_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_device")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_device_tenant_id_code")),
    )
    op.create_table(
        "location_update",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("accuracy", sa.Double(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180",
            name=op.f("ck_location_update_place"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["person.tenant_id", "person.id"],
            name=op.f("fk_location_update_tenant_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenant.id"],
            name=op.f("fk_location_update_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "occurred_at", "external_id", name=op.f("pk_location_update")
        ),
        postgresql_partition_by="RANGE (occurred_at)",
    )
    op.create_index(
        "ix_location_update_person",
        "location_update",
        ["tenant_id", "person_id", "occurred_at"],
        unique=False,
    )
    op.create_index(
        "ix_location_update_time",
        "location_update",
        ["occurred_at"],
        unique=False,
        postgresql_using="brin",
    )
    op.create_table(
        "noc_alert_event",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("alert_type", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'NEW'"), nullable=False),
        sa.Column("dedup_key", sa.Text(), nullable=False),
        sa.Column("suppressed_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("entity_type", sa.Text(), nullable=True),
        sa.Column("entity_id", sa.Text(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.BigInteger(), nullable=True),
        sa.Column("assignee_id", sa.BigInteger(), nullable=True),
        sa.Column("shelved_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.BigInteger(), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column(
            "metadata",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(status = 'RESOLVED') = (resolution IS NOT NULL)",
            name=op.f("ck_noc_alert_event_resolved"),
        ),
        sa.CheckConstraint(
            "resolution IN ('CONFIRMED', 'FALSE_POSITIVE', 'FIXED', 'DUPLICATE', 'EXPIRED')",
            name=op.f("ck_noc_alert_event_resolution"),
        ),
        sa.CheckConstraint(
            "severity IN ('INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL')",
            name=op.f("ck_noc_alert_event_severity"),
        ),
        sa.CheckConstraint(
            "status IN ('NEW', 'ACKNOWLEDGED', 'ASSIGNED', 'SHELVED', 'RESOLVED')",
            name=op.f("ck_noc_alert_event_status"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "acknowledged_by"],
            ["noc_user.tenant_id", "noc_user.id"],
            name=op.f("fk_noc_alert_event_tenant_id_acknowledged_by"),
            ondelete="SET NULL (acknowledged_by)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "assignee_id"],
            ["noc_user.tenant_id", "noc_user.id"],
            name=op.f("fk_noc_alert_event_tenant_id_assignee_id"),
            ondelete="SET NULL (assignee_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["person.tenant_id", "person.id"],
            name=op.f("fk_noc_alert_event_tenant_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "resolved_by"],
            ["noc_user.tenant_id", "noc_user.id"],
            name=op.f("fk_noc_alert_event_tenant_id_resolved_by"),
            ondelete="SET NULL (resolved_by)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["site.tenant_id", "site.id"],
            name=op.f("fk_noc_alert_event_tenant_id_site_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenant.id"],
            name=op.f("fk_noc_alert_event_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_noc_alert_event")),
    )
    op.create_index(
        "ix_noc_alert_event_person",
        "noc_alert_event",
        ["tenant_id", "person_id", "occurred_at"],
        unique=False,
    )
    op.create_index(
        "ix_noc_alert_event_recent",
        "noc_alert_event",
        ["tenant_id", "occurred_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_noc_alert_event_site",
        "noc_alert_event",
        ["tenant_id", "site_id", "occurred_at"],
        unique=False,
    )
    op.create_index(
        "ix_noc_alert_event_status",
        "noc_alert_event",
        ["tenant_id", "status", "occurred_at", "id"],
        unique=False,
    )
    op.create_index(
        "uq_noc_alert_event_open",
        "noc_alert_event",
        ["tenant_id", "dedup_key"],
        unique=True,
        postgresql_where=sa.text("status <> 'RESOLVED'"),
    )
    op.create_table(
        "noc_correlated_incident",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("signals", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("combined_severity", sa.Text(), nullable=False),
        sa.Column("correlation_score", sa.Double(), nullable=False),
        sa.Column("score_parts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("correlation_type", sa.Text(), nullable=False),
        sa.Column("correlation_window_minutes", sa.BigInteger(), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("window_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'OPEN'"), nullable=False),
        sa.Column(
            "detected_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("investigated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("investigated_by", sa.BigInteger(), nullable=True),
        sa.Column(
            "investigation_notes",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "root_cause_identified", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column("root_cause_description", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "combined_severity IN ('INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL')",
            name=op.f("ck_noc_correlated_incident_severity"),
        ),
        sa.CheckConstraint(
            "status IN ('OPEN', 'INVESTIGATING', 'CLOSED')",
            name=op.f("ck_noc_correlated_incident_status"),
        ),
        sa.CheckConstraint(
            "correlation_score BETWEEN 0 AND 1", name=op.f("ck_noc_correlated_incident_score")
        ),
        sa.CheckConstraint(
            "num_nonnulls(person_id, site_id) >= 1", name=op.f("ck_noc_correlated_incident_entity")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "investigated_by"],
            ["noc_user.tenant_id", "noc_user.id"],
            name=op.f("fk_noc_correlated_incident_tenant_id_investigated_by"),
            ondelete="SET NULL (investigated_by)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["person.tenant_id", "person.id"],
            name=op.f("fk_noc_correlated_incident_tenant_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["site.tenant_id", "site.id"],
            name=op.f("fk_noc_correlated_incident_tenant_id_site_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenant.id"],
            name=op.f("fk_noc_correlated_incident_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_noc_correlated_incident")),
    )
    op.create_index(
        "ix_noc_correlated_incident_person",
        "noc_correlated_incident",
        ["tenant_id", "person_id", "window_end"],
        unique=False,
    )
    op.create_index(
        "ix_noc_correlated_incident_recent",
        "noc_correlated_incident",
        ["tenant_id", "detected_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_noc_correlated_incident_site",
        "noc_correlated_incident",
        ["tenant_id", "site_id", "window_end"],
        unique=False,
    )
    op.create_index(
        "uq_noc_correlated_incident_open",
        "noc_correlated_incident",
        ["tenant_id", "slot"],
        unique=True,
        postgresql_where=sa.text("status <> 'CLOSED'"),
    )
    op.create_table(
        "phone_event",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column(
            "detail", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["person.tenant_id", "person.id"],
            name=op.f("fk_phone_event_tenant_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_phone_event_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "occurred_at", "external_id", name=op.f("pk_phone_event")
        ),
        postgresql_partition_by="RANGE (occurred_at)",
    )
    op.create_index(
        "ix_phone_event_person",
        "phone_event",
        ["tenant_id", "person_id", "occurred_at"],
        unique=False,
    )
    op.create_index(
        "ix_phone_event_time", "phone_event", ["occurred_at"], unique=False, postgresql_using="brin"
    )
    op.create_table(
        "shift",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("swapped_with_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_shift_span")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["person.tenant_id", "person.id"],
            name=op.f("fk_shift_tenant_id_person_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["site.tenant_id", "site.id"],
            name=op.f("fk_shift_tenant_id_site_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "swapped_with_id"],
            ["person.tenant_id", "person.id"],
            name=op.f("fk_shift_tenant_id_swapped_with_id"),
            ondelete="SET NULL (swapped_with_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_shift_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_shift")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_shift_tenant_id_code")),
    )
    op.create_index("ix_shift_ends", "shift", ["tenant_id", "ends_at"], unique=False)
    op.create_index(
        "ix_shift_person", "shift", ["tenant_id", "person_id", "starts_at"], unique=False
    )
    op.create_index("ix_shift_site", "shift", ["tenant_id", "site_id", "starts_at"], unique=False)
    op.create_index(
        "ix_shift_swapped",
        "shift",
        ["tenant_id", "swapped_with_id", "starts_at"],
        unique=False,
        postgresql_where=sa.text("swapped_with_id IS NOT NULL"),
    )
    op.create_table(
        "task_completion",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=True),
        sa.Column(
            "detail", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["person.tenant_id", "person.id"],
            name=op.f("fk_task_completion_tenant_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenant.id"],
            name=op.f("fk_task_completion_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "occurred_at", "external_id", name=op.f("pk_task_completion")
        ),
        postgresql_partition_by="RANGE (occurred_at)",
    )
    op.create_index(
        "ix_task_completion_person",
        "task_completion",
        ["tenant_id", "person_id", "occurred_at"],
        unique=False,
    )
    op.create_index(
        "ix_task_completion_time",
        "task_completion",
        ["occurred_at"],
        unique=False,
        postgresql_using="brin",
    )
    op.create_table(
        "ticket",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'NEW'"), nullable=False),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("assignee_id", sa.BigInteger(), nullable=True),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "metadata",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "priority IN ('LOW', 'MEDIUM', 'HIGH')", name=op.f("ck_ticket_priority")
        ),
        sa.CheckConstraint(
            "resolution IN ('CONFIRMED', 'FALSE_POSITIVE', 'INCONCLUSIVE', 'DUPLICATE', 'FIXED')",
            name=op.f("ck_ticket_resolution"),
        ),
        sa.CheckConstraint(
            "status IN ('NEW', 'ASSIGNED', 'IN_PROGRESS', 'ON_HOLD', 'RESOLVED', 'CLOSED', 'CANCELLED')",
            name=op.f("ck_ticket_status"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "assignee_id"],
            ["noc_user.tenant_id", "noc_user.id"],
            name=op.f("fk_ticket_tenant_id_assignee_id"),
            ondelete="SET NULL (assignee_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "created_by"],
            ["noc_user.tenant_id", "noc_user.id"],
            name=op.f("fk_ticket_tenant_id_created_by"),
            ondelete="SET NULL (created_by)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["person.tenant_id", "person.id"],
            name=op.f("fk_ticket_tenant_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["site.tenant_id", "site.id"],
            name=op.f("fk_ticket_tenant_id_site_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_ticket_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_ticket")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_ticket_tenant_id_number")),
    )
    op.create_index(
        "ix_ticket_assignee", "ticket", ["tenant_id", "assignee_id", "status"], unique=False
    )
    op.create_index(
        "ix_ticket_person", "ticket", ["tenant_id", "person_id", "created_at"], unique=False
    )
    op.create_index("ix_ticket_recent", "ticket", ["tenant_id", "created_at", "id"], unique=False)
    op.create_index(
        "ix_ticket_site", "ticket", ["tenant_id", "site_id", "created_at"], unique=False
    )
    op.create_index(
        "ix_ticket_status", "ticket", ["tenant_id", "status", "created_at", "id"], unique=False
    )
    op.create_table(
        "attendance_event",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("gps_accuracy", sa.Double(), nullable=True),
        sa.Column("biometric_quality_score", sa.Double(), nullable=True),
        sa.Column("mock_location", sa.Boolean(), nullable=True),
        sa.Column("device_id", sa.BigInteger(), nullable=True),
        sa.Column("phone_signal_strength", sa.Double(), nullable=True),
        sa.Column("battery_level", sa.Double(), nullable=True),
        sa.Column("source", sa.Text(), server_default=sa.text("'api'"), nullable=False),
        sa.Column("scored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "scoring_failures", sa.SmallInteger(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("score_again_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_by", sa.BigInteger(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('in', 'out', 'presence')", name=op.f("ck_attendance_event_kind")
        ),
        sa.CheckConstraint(
            "lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180",
            name=op.f("ck_attendance_event_place"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "device_id"],
            ["device.tenant_id", "device.id"],
            name=op.f("fk_attendance_event_tenant_id_device_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["person.tenant_id", "person.id"],
            name=op.f("fk_attendance_event_tenant_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["site.tenant_id", "site.id"],
            name=op.f("fk_attendance_event_tenant_id_site_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "voided_by"],
            ["noc_user.tenant_id", "noc_user.id"],
            name=op.f("fk_attendance_event_tenant_id_voided_by"),
            ondelete="SET NULL (voided_by)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenant.id"],
            name=op.f("fk_attendance_event_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_attendance_event")),
        sa.UniqueConstraint(
            "tenant_id", "external_id", name=op.f("uq_attendance_event_tenant_id_external_id")
        ),
    )
    op.create_index(
        "ix_attendance_event_device",
        "attendance_event",
        ["tenant_id", "device_id", "occurred_at"],
        unique=False,
    )
    op.create_index(
        "ix_attendance_event_occurred",
        "attendance_event",
        ["tenant_id", "occurred_at"],
        unique=False,
    )
    op.create_index(
        "ix_attendance_event_person",
        "attendance_event",
        ["tenant_id", "person_id", "occurred_at"],
        unique=False,
    )
    op.create_index(
        "ix_attendance_event_site",
        "attendance_event",
        ["tenant_id", "site_id", "occurred_at"],
        unique=False,
    )
    op.create_index(
        "ix_attendance_event_clock",
        "attendance_event",
        ["tenant_id", "person_id", "occurred_at"],
        unique=False,
        postgresql_where=sa.text("kind <> 'presence' AND voided_at IS NULL"),
    )
    op.create_index(
        "ix_attendance_event_voided",
        "attendance_event",
        ["tenant_id", "occurred_at"],
        unique=False,
        postgresql_where=sa.text("voided_at IS NOT NULL"),
    )
    op.create_index(
        "ix_attendance_event_unscored",
        "attendance_event",
        ["tenant_id", "id"],
        unique=False,
        postgresql_where=sa.text("scored_at IS NULL AND voided_at IS NULL"),
    )
    op.create_table(
        "audit_finding",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("finding_type", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("window_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("evidence_summary", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'NEW'"), nullable=False),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column(
            "detected_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.BigInteger(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.BigInteger(), nullable=True),
        sa.Column(
            "escalated_to_ticket", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column("escalation_ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "category IN ('DEVICE_HEALTH', 'OPERATIONAL', 'COMPLIANCE', 'SAFETY', 'SECURITY')",
            name=op.f("ck_audit_finding_category"),
        ),
        sa.CheckConstraint(
            "resolution IN ('CONFIRMED', 'FALSE_POSITIVE', 'FIXED', 'DUPLICATE', 'EXPIRED')",
            name=op.f("ck_audit_finding_resolution"),
        ),
        sa.CheckConstraint(
            "severity IN ('INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL')",
            name=op.f("ck_audit_finding_severity"),
        ),
        sa.CheckConstraint(
            "status IN ('NEW', 'ACKNOWLEDGED', 'RESOLVED')", name=op.f("ck_audit_finding_status")
        ),
        sa.CheckConstraint("window_end > window_start", name=op.f("ck_audit_finding_span")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "acknowledged_by"],
            ["noc_user.tenant_id", "noc_user.id"],
            name=op.f("fk_audit_finding_tenant_id_acknowledged_by"),
            ondelete="SET NULL (acknowledged_by)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "alert_id"],
            ["noc_alert_event.tenant_id", "noc_alert_event.id"],
            name=op.f("fk_audit_finding_tenant_id_alert_id"),
            ondelete="SET NULL (alert_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "escalation_ticket_id"],
            ["ticket.tenant_id", "ticket.id"],
            name=op.f("fk_audit_finding_tenant_id_escalation_ticket_id"),
            ondelete="SET NULL (escalation_ticket_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["person.tenant_id", "person.id"],
            name=op.f("fk_audit_finding_tenant_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "resolved_by"],
            ["noc_user.tenant_id", "noc_user.id"],
            name=op.f("fk_audit_finding_tenant_id_resolved_by"),
            ondelete="SET NULL (resolved_by)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["site.tenant_id", "site.id"],
            name=op.f("fk_audit_finding_tenant_id_site_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenant.id"],
            name=op.f("fk_audit_finding_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_audit_finding")),
        sa.UniqueConstraint(
            "tenant_id",
            "subject",
            "finding_type",
            "window_start",
            name=op.f("uq_audit_finding_tenant_id_subject_finding_type_window_start"),
        ),
    )
    op.create_index(
        "ix_audit_finding_alert", "audit_finding", ["tenant_id", "alert_id"], unique=False
    )
    op.create_index(
        "ix_audit_finding_person",
        "audit_finding",
        ["tenant_id", "person_id", "detected_at"],
        unique=False,
    )
    op.create_index(
        "ix_audit_finding_recent", "audit_finding", ["tenant_id", "detected_at", "id"], unique=False
    )
    op.create_index(
        "ix_audit_finding_site",
        "audit_finding",
        ["tenant_id", "site_id", "detected_at"],
        unique=False,
    )
    op.create_index(
        "ix_audit_finding_ticket",
        "audit_finding",
        ["tenant_id", "escalation_ticket_id"],
        unique=False,
    )
    op.create_table(
        "jobneed",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("tour_id", sa.BigInteger(), nullable=True),
        sa.Column("checkpoint_id", sa.BigInteger(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("endtime", sa.DateTime(timezone=True), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(kind = 'checkpoint') = (checkpoint_id IS NOT NULL)",
            name=op.f("ck_jobneed_checkpoint_named"),
        ),
        sa.CheckConstraint("kind IN ('tour', 'checkpoint')", name=op.f("ck_jobneed_kind")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "checkpoint_id"],
            ["checkpoint.tenant_id", "checkpoint.id"],
            name=op.f("fk_jobneed_tenant_id_checkpoint_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "parent_id"],
            ["jobneed.tenant_id", "jobneed.id"],
            name=op.f("fk_jobneed_tenant_id_parent_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["person.tenant_id", "person.id"],
            name=op.f("fk_jobneed_tenant_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["site.tenant_id", "site.id"],
            name=op.f("fk_jobneed_tenant_id_site_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tour_id"],
            ["tour.tenant_id", "tour.id"],
            name=op.f("fk_jobneed_tenant_id_tour_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_jobneed_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_jobneed")),
        sa.UniqueConstraint(
            "tenant_id", "external_id", name=op.f("uq_jobneed_tenant_id_external_id")
        ),
    )
    op.create_index(
        "ix_jobneed_due", "jobneed", ["tenant_id", "person_id", "expires_at"], unique=False
    )
    op.create_index("ix_jobneed_parent", "jobneed", ["tenant_id", "parent_id"], unique=False)
    op.create_index(
        "ix_jobneed_person_parent_endtime",
        "jobneed",
        ["tenant_id", "person_id", "parent_id", "endtime"],
        unique=False,
    )
    op.create_index(
        "ix_jobneed_scanned",
        "jobneed",
        ["tenant_id", "person_id", "endtime"],
        unique=False,
        postgresql_where=sa.text("kind = 'checkpoint' AND endtime IS NOT NULL"),
    )
    op.create_table(
        "noc_alert_change",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("alert_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("old_status", sa.Text(), nullable=True),
        sa.Column("new_status", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column(
            "detail", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "alert_id"],
            ["noc_alert_event.tenant_id", "noc_alert_event.id"],
            name=op.f("fk_noc_alert_change_tenant_id_alert_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["noc_user.tenant_id", "noc_user.id"],
            name=op.f("fk_noc_alert_change_tenant_id_user_id"),
            ondelete="SET NULL (user_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenant.id"],
            name=op.f("fk_noc_alert_change_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_noc_alert_change")),
    )
    op.create_index(
        "ix_noc_alert_change_alert",
        "noc_alert_change",
        ["tenant_id", "alert_id", "id"],
        unique=False,
    )
    op.create_table(
        "noc_incident_alert",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("score_parts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "added_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "alert_id"],
            ["noc_alert_event.tenant_id", "noc_alert_event.id"],
            name=op.f("fk_noc_incident_alert_tenant_id_alert_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"],
            ["noc_correlated_incident.tenant_id", "noc_correlated_incident.id"],
            name=op.f("fk_noc_incident_alert_tenant_id_incident_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenant.id"],
            name=op.f("fk_noc_incident_alert_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "incident_id", "alert_id", name=op.f("pk_noc_incident_alert")
        ),
    )
    op.create_index(
        "ix_noc_incident_alert_alert", "noc_incident_alert", ["tenant_id", "alert_id"], unique=False
    )
    op.create_table(
        "ticket_event",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("old_status", sa.Text(), nullable=True),
        sa.Column("new_status", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column(
            "detail", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["ticket.tenant_id", "ticket.id"],
            name=op.f("fk_ticket_event_tenant_id_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["noc_user.tenant_id", "noc_user.id"],
            name=op.f("fk_ticket_event_tenant_id_user_id"),
            ondelete="SET NULL (user_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_ticket_event_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_ticket_event")),
    )
    op.create_index(
        "ix_ticket_event_ticket", "ticket_event", ["tenant_id", "ticket_id", "id"], unique=False
    )
    op.create_table(
        "ticket_evidence",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column(
            "added_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('punch', 'finding', 'alert', 'incident')",
            name=op.f("ck_ticket_evidence_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["ticket.tenant_id", "ticket.id"],
            name=op.f("fk_ticket_evidence_tenant_id_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenant.id"],
            name=op.f("fk_ticket_evidence_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "ticket_id", "kind", "ref", name=op.f("pk_ticket_evidence")
        ),
    )
    op.create_index(
        "ix_ticket_evidence_ref", "ticket_evidence", ["tenant_id", "kind", "ref"], unique=False
    )
    op.create_table(
        "ticket_slot",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["ticket.tenant_id", "ticket.id"],
            name=op.f("fk_ticket_slot_tenant_id_ticket_id"),
            ondelete="SET NULL (ticket_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_ticket_slot_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "slot", name=op.f("pk_ticket_slot")),
    )
    op.create_index(
        "ix_ticket_slot_ticket", "ticket_slot", ["tenant_id", "ticket_id"], unique=False
    )
    op.create_table(
        "attendance_anomaly_log",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("attendance_event_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "detected_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("anomaly_types", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("fraud_type", sa.Text(), nullable=False),
        sa.Column("fraud_score", sa.Double(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("alert_id", sa.BigInteger(), nullable=True),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "severity IN ('INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL')",
            name=op.f("ck_attendance_anomaly_log_severity"),
        ),
        sa.CheckConstraint(
            "fraud_score BETWEEN 0 AND 1", name=op.f("ck_attendance_anomaly_log_score")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "alert_id"],
            ["noc_alert_event.tenant_id", "noc_alert_event.id"],
            name=op.f("fk_attendance_anomaly_log_tenant_id_alert_id"),
            ondelete="SET NULL (alert_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "attendance_event_id"],
            ["attendance_event.tenant_id", "attendance_event.id"],
            name=op.f("fk_attendance_anomaly_log_tenant_id_attendance_event_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["person.tenant_id", "person.id"],
            name=op.f("fk_attendance_anomaly_log_tenant_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["site.tenant_id", "site.id"],
            name=op.f("fk_attendance_anomaly_log_tenant_id_site_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["ticket.tenant_id", "ticket.id"],
            name=op.f("fk_attendance_anomaly_log_tenant_id_ticket_id"),
            ondelete="SET NULL (ticket_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenant.id"],
            name=op.f("fk_attendance_anomaly_log_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_attendance_anomaly_log")),
        sa.UniqueConstraint(
            "tenant_id",
            "attendance_event_id",
            name=op.f("uq_attendance_anomaly_log_tenant_id_attendance_event_id"),
        ),
    )
    op.create_index(
        "ix_attendance_anomaly_log_person",
        "attendance_anomaly_log",
        ["tenant_id", "person_id", "occurred_at"],
        unique=False,
    )
    op.create_index(
        "ix_attendance_anomaly_log_site",
        "attendance_anomaly_log",
        ["tenant_id", "site_id", "occurred_at"],
        unique=False,
    )
    op.create_index(
        "ix_attendance_anomaly_log_ticket",
        "attendance_anomaly_log",
        ["tenant_id", "ticket_id"],
        unique=False,
    )
    op.create_table(
        "fraud_prediction_log",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("attendance_event_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "predicted_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("features", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("fraud_score", sa.Double(), nullable=False),
        sa.Column("risk_level", sa.Text(), nullable=False),
        sa.Column("model_type", sa.Text(), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("is_shadow", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("actual_fraud_detected", sa.Boolean(), nullable=True),
        sa.Column("label_source", sa.Text(), nullable=True),
        sa.Column("labelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("labelled_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "label_source IN ('ticket', 'review', 'audit', 'import', 'demo')",
            name=op.f("ck_fraud_prediction_log_label_source"),
        ),
        sa.CheckConstraint(
            "risk_level IN ('MINIMAL', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL')",
            name=op.f("ck_fraud_prediction_log_risk_level"),
        ),
        sa.CheckConstraint(
            "(actual_fraud_detected IS NULL) = (labelled_at IS NULL)",
            name=op.f("ck_fraud_prediction_log_labelled"),
        ),
        sa.CheckConstraint(
            "fraud_score BETWEEN 0 AND 1", name=op.f("ck_fraud_prediction_log_score")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "attendance_event_id"],
            ["attendance_event.tenant_id", "attendance_event.id"],
            name=op.f("fk_fraud_prediction_log_tenant_id_attendance_event_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "labelled_by"],
            ["noc_user.tenant_id", "noc_user.id"],
            name=op.f("fk_fraud_prediction_log_tenant_id_labelled_by"),
            ondelete="SET NULL (labelled_by)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["person.tenant_id", "person.id"],
            name=op.f("fk_fraud_prediction_log_tenant_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["site.tenant_id", "site.id"],
            name=op.f("fk_fraud_prediction_log_tenant_id_site_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenant.id"],
            name=op.f("fk_fraud_prediction_log_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_fraud_prediction_log")),
        sa.UniqueConstraint(
            "tenant_id",
            "attendance_event_id",
            "model_version",
            name=op.f("uq_fraud_prediction_log_tenant_id_attendance_event_id_model_version"),
        ),
    )
    op.create_index(
        "ix_fraud_prediction_log_labelled",
        "fraud_prediction_log",
        ["tenant_id", "person_id", "labelled_at"],
        unique=False,
        postgresql_where=sa.text("actual_fraud_detected IS NOT NULL"),
    )
    op.create_index(
        "ix_fraud_prediction_log_person",
        "fraud_prediction_log",
        ["tenant_id", "person_id", "occurred_at"],
        unique=False,
    )
    op.create_index(
        "ix_fraud_prediction_log_recent",
        "fraud_prediction_log",
        ["tenant_id", "occurred_at", "fraud_score"],
        unique=False,
    )
    op.create_index(
        "ix_fraud_prediction_log_site",
        "fraud_prediction_log",
        ["tenant_id", "site_id", "occurred_at"],
        unique=False,
    )
    op.create_index(
        "uq_fraud_prediction_log_served",
        "fraud_prediction_log",
        ["tenant_id", "attendance_event_id"],
        unique=True,
        postgresql_where=sa.text("NOT is_shadow"),
    )
    op.create_foreign_key(
        "fk_noc_user_tenant_id_person_id",
        "noc_user",
        "person",
        ["tenant_id", "person_id"],
        ["tenant_id", "id"],
        ondelete="SET NULL (person_id)",
    )
    for statement in (*_protection(), *FUNCTIONS):
        op.execute(statement)


def downgrade() -> None:
    for signature in reversed(SIGNATURES):
        op.execute(f"DROP FUNCTION {signature}")
    op.drop_constraint("fk_noc_user_tenant_id_person_id", "noc_user", type_="foreignkey")
    op.drop_index(
        "uq_fraud_prediction_log_served",
        table_name="fraud_prediction_log",
        postgresql_where=sa.text("NOT is_shadow"),
    )
    op.drop_index("ix_fraud_prediction_log_site", table_name="fraud_prediction_log")
    op.drop_index("ix_fraud_prediction_log_recent", table_name="fraud_prediction_log")
    op.drop_index("ix_fraud_prediction_log_person", table_name="fraud_prediction_log")
    op.drop_index(
        "ix_fraud_prediction_log_labelled",
        table_name="fraud_prediction_log",
        postgresql_where=sa.text("actual_fraud_detected IS NOT NULL"),
    )
    op.drop_table("fraud_prediction_log")
    op.drop_index("ix_attendance_anomaly_log_ticket", table_name="attendance_anomaly_log")
    op.drop_index("ix_attendance_anomaly_log_site", table_name="attendance_anomaly_log")
    op.drop_index("ix_attendance_anomaly_log_person", table_name="attendance_anomaly_log")
    op.drop_table("attendance_anomaly_log")
    op.drop_index("ix_ticket_slot_ticket", table_name="ticket_slot")
    op.drop_table("ticket_slot")
    op.drop_index("ix_ticket_evidence_ref", table_name="ticket_evidence")
    op.drop_table("ticket_evidence")
    op.drop_index("ix_ticket_event_ticket", table_name="ticket_event")
    op.drop_table("ticket_event")
    op.drop_index("ix_noc_incident_alert_alert", table_name="noc_incident_alert")
    op.drop_table("noc_incident_alert")
    op.drop_index("ix_noc_alert_change_alert", table_name="noc_alert_change")
    op.drop_table("noc_alert_change")
    op.drop_index(
        "ix_jobneed_scanned",
        table_name="jobneed",
        postgresql_where=sa.text("kind = 'checkpoint' AND endtime IS NOT NULL"),
    )
    op.drop_index("ix_jobneed_person_parent_endtime", table_name="jobneed")
    op.drop_index("ix_jobneed_parent", table_name="jobneed")
    op.drop_index("ix_jobneed_due", table_name="jobneed")
    op.drop_table("jobneed")
    op.drop_index("ix_audit_finding_ticket", table_name="audit_finding")
    op.drop_index("ix_audit_finding_site", table_name="audit_finding")
    op.drop_index("ix_audit_finding_recent", table_name="audit_finding")
    op.drop_index("ix_audit_finding_person", table_name="audit_finding")
    op.drop_index("ix_audit_finding_alert", table_name="audit_finding")
    op.drop_table("audit_finding")
    op.drop_index(
        "ix_attendance_event_unscored",
        table_name="attendance_event",
        postgresql_where=sa.text("scored_at IS NULL AND voided_at IS NULL"),
    )
    op.drop_index(
        "ix_attendance_event_voided",
        table_name="attendance_event",
        postgresql_where=sa.text("voided_at IS NOT NULL"),
    )
    op.drop_index(
        "ix_attendance_event_clock",
        table_name="attendance_event",
        postgresql_where=sa.text("kind <> 'presence' AND voided_at IS NULL"),
    )
    op.drop_index("ix_attendance_event_site", table_name="attendance_event")
    op.drop_index("ix_attendance_event_person", table_name="attendance_event")
    op.drop_index("ix_attendance_event_occurred", table_name="attendance_event")
    op.drop_index("ix_attendance_event_device", table_name="attendance_event")
    op.drop_table("attendance_event")
    op.drop_index("ix_ticket_status", table_name="ticket")
    op.drop_index("ix_ticket_site", table_name="ticket")
    op.drop_index("ix_ticket_recent", table_name="ticket")
    op.drop_index("ix_ticket_person", table_name="ticket")
    op.drop_index("ix_ticket_assignee", table_name="ticket")
    op.drop_table("ticket")
    op.drop_index("ix_task_completion_time", table_name="task_completion", postgresql_using="brin")
    op.drop_index("ix_task_completion_person", table_name="task_completion")
    op.drop_table("task_completion")
    op.drop_index(
        "ix_shift_swapped",
        table_name="shift",
        postgresql_where=sa.text("swapped_with_id IS NOT NULL"),
    )
    op.drop_index("ix_shift_site", table_name="shift")
    op.drop_index("ix_shift_person", table_name="shift")
    op.drop_index("ix_shift_ends", table_name="shift")
    op.drop_table("shift")
    op.drop_index("ix_phone_event_time", table_name="phone_event", postgresql_using="brin")
    op.drop_index("ix_phone_event_person", table_name="phone_event")
    op.drop_table("phone_event")
    op.drop_index(
        "uq_noc_correlated_incident_open",
        table_name="noc_correlated_incident",
        postgresql_where=sa.text("status <> 'CLOSED'"),
    )
    op.drop_index("ix_noc_correlated_incident_site", table_name="noc_correlated_incident")
    op.drop_index("ix_noc_correlated_incident_recent", table_name="noc_correlated_incident")
    op.drop_index("ix_noc_correlated_incident_person", table_name="noc_correlated_incident")
    op.drop_table("noc_correlated_incident")
    op.drop_index(
        "uq_noc_alert_event_open",
        table_name="noc_alert_event",
        postgresql_where=sa.text("status <> 'RESOLVED'"),
    )
    op.drop_index("ix_noc_alert_event_status", table_name="noc_alert_event")
    op.drop_index("ix_noc_alert_event_site", table_name="noc_alert_event")
    op.drop_index("ix_noc_alert_event_recent", table_name="noc_alert_event")
    op.drop_index("ix_noc_alert_event_person", table_name="noc_alert_event")
    op.drop_table("noc_alert_event")
    op.drop_index("ix_location_update_time", table_name="location_update", postgresql_using="brin")
    op.drop_index("ix_location_update_person", table_name="location_update")
    op.drop_table("location_update")
    op.drop_table("device")
    op.drop_index("ix_checkpoint_tour", table_name="checkpoint")
    op.drop_table("checkpoint")
    op.drop_table("behavioral_profile")
    op.drop_index("ix_absence_person", table_name="absence")
    op.drop_table("absence")
    op.drop_table("tour")
    op.drop_table("tenant_setting")
    op.drop_index("ix_person_home_site", table_name="person")
    op.drop_table("person")
    op.drop_table("noc_user_site")
    op.drop_table("baseline_profile")
    op.drop_index("ix_user_session_user", table_name="user_session")
    op.drop_table("user_session")
    op.drop_table("site")
    op.drop_index("ix_noc_ml_model_metrics_version", table_name="noc_ml_model_metrics")
    op.drop_table("noc_ml_model_metrics")
    op.drop_table("api_token")
    op.drop_table("ticket_counter")
    op.drop_table("noc_user")
    op.drop_index(
        "ix_noc_event_log_ticket",
        table_name="noc_event_log",
        postgresql_where=sa.text("ticket_id IS NOT NULL"),
    )
    op.drop_index("ix_noc_event_log_created", table_name="noc_event_log")
    op.drop_index(
        "ix_noc_event_log_alert",
        table_name="noc_event_log",
        postgresql_where=sa.text("alert_id IS NOT NULL"),
    )
    op.drop_table("noc_event_log")
    op.drop_table("noc_event_counter")
    op.drop_index(
        "uq_fraud_detection_model_active",
        table_name="fraud_detection_model",
        postgresql_where=sa.text("is_active"),
    )
    op.drop_table("fraud_detection_model")
    op.drop_table("tenant")
