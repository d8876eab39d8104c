from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("api", "0001_api_keys")]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="former_digest",
            field=models.CharField(
                blank=True, db_index=True, default="", editable=False, max_length=64
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="former_until",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="So long the key before this one works.",
                null=True,
            ),
        ),
    ]
