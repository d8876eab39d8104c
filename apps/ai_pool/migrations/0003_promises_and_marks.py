"""Adds what came of promised waits to the history, and the marks in its plots."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ai_pool", "0002_poolhistory"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="poolstatus",
            options={
                "default_permissions": ("view",),
                "managed": False,
                "verbose_name": "pool",
                "verbose_name_plural": "pool",
            },
        ),
        migrations.AddField(
            model_name="poolhistory",
            name="num_promises",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="poolhistory",
            name="num_promises_kept",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="poolhistory",
            name="promised_p90_s",
            field=models.FloatField(default=0.0),
        ),
        migrations.AddField(
            model_name="poolhistory",
            name="promised_s",
            field=models.FloatField(default=0.0),
        ),
        migrations.AddField(
            model_name="poolhistory",
            name="real_wait_s",
            field=models.FloatField(default=0.0),
        ),
        migrations.CreateModel(
            name="PoolMark",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("restart", "restart"),
                            ("configuration", "configuration"),
                            ("release", "release"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(
                        db_index=True, help_text="The minute in which it was noticed."
                    ),
                ),
                (
                    "facts",
                    models.CharField(
                        help_text="What held from then on, to compare with.", max_length=255
                    ),
                ),
                ("text", models.CharField(max_length=200)),
            ],
            options={
                "verbose_name": "pool mark",
                "ordering": ("at", "id"),
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kind", "facts", "at"), name="one_mark_per_change"
                    )
                ],
            },
        ),
    ]
