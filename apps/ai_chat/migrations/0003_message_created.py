"""Makes finding the messages of the last hours quick."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ai_chat", "0002_sites_branches_approved"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["created"], name="message_created"),
        ),
    ]
