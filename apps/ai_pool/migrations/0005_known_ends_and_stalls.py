"""Adds waiting for memory to the history, which bad ends are known, and what more one may do."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ai_pool", "0004_what_operators_do"),
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
                    ("move_request", "Can move a waiting request to the front"),
                    ("retry_answer", "Can have failed answers made again"),
                    ("know_ends", "Can mark bad ends as known"),
                    ("test_pool", "Can run the self-test of the pool"),
                    ("banner_pool", "Can show a banner to visitors"),
                    ("export_pool", "Can export the numbers of the pool"),
                ),
                "verbose_name": "pool",
                "verbose_name_plural": "pool",
            },
        ),
        migrations.AddField(
            model_name="poolhistory",
            name="stall_some",
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name="poolhistory",
            name="stall_full",
            field=models.FloatField(null=True),
        ),
        migrations.CreateModel(
            name="KnownEnd",
            fields=[
                ("code", models.CharField(max_length=32, primary_key=True, serialize=False)),
                (
                    "until",
                    models.DateTimeField(help_text="Ends of this kind before this are known."),
                ),
            ],
            options={
                "verbose_name": "known end",
                "default_permissions": (),
            },
        ),
    ]
