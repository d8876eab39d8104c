"""Adds the audit log."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ai_pool", "0005_known_ends_and_stalls"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(db_index=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("staff", "staff"), ("key", "API key"), ("command", "command")],
                        max_length=16,
                    ),
                ),
                (
                    "who",
                    models.CharField(
                        help_text="Account, key, or the user of the machine.", max_length=150
                    ),
                ),
                (
                    "place",
                    models.CharField(
                        blank=True,
                        help_text="Block of addresses it came from (/24, /56).",
                        max_length=50,
                    ),
                ),
                ("what", models.CharField(max_length=500)),
                (
                    "subject",
                    models.CharField(
                        blank=True,
                        help_text="Kind and number of what was changed.",
                        max_length=150,
                    ),
                ),
            ],
            options={
                "verbose_name": "audit log entry",
                "verbose_name_plural": "audit log entries",
                "ordering": ("-at", "-id"),
                "default_permissions": ("view",),
            },
        ),
    ]
