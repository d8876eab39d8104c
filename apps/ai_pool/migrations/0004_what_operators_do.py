"""Adds what operators may do as permissions, the banner, and the runs of the self-test."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ai_pool", "0003_promises_and_marks"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="poolstatus",
            options={
                "default_permissions": ("view",),
                "managed": False,
                "permissions": (
                    ("pause_pool", "Can pause the pool"),
                    ("resume_pool", "Can open the pool again"),
                    ("drain_pool", "Can drain the pool"),
                    ("restart_pool", "Can restart the pool"),
                    ("resize_pool", "Can resize the pool"),
                    ("switch_model", "Can switch the model of the pool"),
                    ("limit_pool", "Can change limits of the pool for a while"),
                    ("emergency_pool", "Can switch the emergency mode of the pool"),
                    ("cancel_request", "Can cancel requests of visitors"),
                    ("test_pool", "Can run the self-test of the pool"),
                    ("banner_pool", "Can show a banner to visitors"),
                    ("export_pool", "Can export the numbers of the pool"),
                ),
                "verbose_name": "pool",
                "verbose_name_plural": "pool",
            },
        ),
        migrations.CreateModel(
            name="Banner",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(
                        default=1, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("text", models.CharField(max_length=300)),
                (
                    "ends_at",
                    models.DateTimeField(help_text="Null: until somebody removes it.", null=True),
                ),
                ("set_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "banner",
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="one_banner_at_most")
                ],
            },
        ),
        migrations.CreateModel(
            name="SelfTestRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "model",
                    models.CharField(
                        help_text="Name, quantisation and size of the file.", max_length=200
                    ),
                ),
                ("at", models.DateTimeField()),
                ("text", models.TextField()),
                ("num_tokens", models.PositiveIntegerField()),
                ("tok_s", models.FloatField(help_text="Tokens per second while writing.")),
                ("ttft_s", models.FloatField(help_text="Seconds until the first text.")),
                (
                    "was_alone",
                    models.BooleanField(help_text="Nothing else was answered meanwhile."),
                ),
                (
                    "is_baseline",
                    models.BooleanField(
                        default=False,
                        help_text="Later runs of this model are compared with this one.",
                    ),
                ),
            ],
            options={
                "verbose_name": "self-test run",
                "ordering": ("-at", "-id"),
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_baseline", True)),
                        fields=("model",),
                        name="one_baseline_per_model",
                    )
                ],
            },
        ),
    ]
