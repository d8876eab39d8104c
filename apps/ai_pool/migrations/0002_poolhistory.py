"""Makes the table of the pool's history: a row for each minute and each hour."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ai_pool", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="PoolHistory",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "resolution_s",
                    models.PositiveSmallIntegerField(choices=[(60, "minute"), (3600, "hour")]),
                ),
                ("start", models.DateTimeField(help_text="Beginning of the minute or hour.")),
                ("unix_s", models.FloatField(default=0.0)),
                ("seconds", models.FloatField(default=0.0)),
                ("num_samples", models.BigIntegerField(default=0)),
                ("num_waiting", models.FloatField(default=0.0)),
                ("num_instances", models.FloatField(default=0.0)),
                ("decode_tok_s", models.FloatField(default=0.0)),
                ("prefill_tok_s", models.FloatField(default=0.0)),
                ("wait_p50_s", models.FloatField(null=True)),
                ("ttft_p50_s", models.FloatField(null=True)),
                ("max_waiting", models.BigIntegerField(default=0)),
                ("max_running", models.BigIntegerField(default=0)),
                ("wait_p95_s", models.FloatField(null=True)),
                ("ttft_p95_s", models.FloatField(null=True)),
                ("oldest_wait_s", models.FloatField(default=0.0)),
                ("heartbeat_age_s", models.FloatField(default=0.0)),
                ("rss_bytes", models.BigIntegerField(default=0)),
                ("anon_bytes", models.BigIntegerField(default=0)),
                ("weights_bytes", models.BigIntegerField(default=0)),
                ("kv_bytes", models.BigIntegerField(default=0)),
                ("parked_bytes", models.BigIntegerField(default=0)),
                ("limit_bytes", models.BigIntegerField(default=0)),
                ("pressure", models.FloatField(null=True)),
                ("num_starts", models.BigIntegerField(default=0)),
                ("running_s", models.FloatField(default=0.0)),
                ("instance_s", models.FloatField(default=0.0)),
                ("num_accepted", models.BigIntegerField(default=0)),
                ("num_refused", models.BigIntegerField(default=0)),
                ("num_done", models.BigIntegerField(default=0)),
                ("num_length", models.BigIntegerField(default=0)),
                ("num_user_stop", models.BigIntegerField(default=0)),
                ("num_deadline", models.BigIntegerField(default=0)),
                ("num_cancelled", models.BigIntegerField(default=0)),
                ("num_failed", models.BigIntegerField(default=0)),
                ("num_expired", models.BigIntegerField(default=0)),
                ("num_pool_lost", models.BigIntegerField(default=0)),
                ("num_prompt_tokens", models.BigIntegerField(default=0)),
                ("num_cached_tokens", models.BigIntegerField(default=0)),
                ("num_generated_tokens", models.BigIntegerField(default=0)),
            ],
            options={
                "verbose_name": "pool history",
                "verbose_name_plural": "pool history",
                "ordering": ("resolution_s", "start"),
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("resolution_s", "start"), name="one_row_per_period"
                    )
                ],
            },
        ),
    ]
