"""Makes the permission to see the pool in the admin; no table."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies: list[tuple[str, str]] = []

    operations = [
        migrations.CreateModel(
            name="PoolStatus",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
            ],
            options={
                "verbose_name": "pool status",
                "verbose_name_plural": "pool status",
                "managed": False,
                "default_permissions": ("view",),
            },
        ),
    ]
