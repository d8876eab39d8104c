"""Where a site's pages come from."""

from __future__ import annotations

from django.db import models

from apps.widget.models.site import Site


class AllowedOrigin(models.Model):
    """An origin whose pages may carry the site's chat.

    ``https://shop.example.org`` with scheme and port, or ``https://*.example.org`` for every name
    below a domain.
    """

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="origins")
    origin = models.CharField(max_length=255)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("origin",)
        constraints = [models.UniqueConstraint(fields=["site", "origin"], name="site_origin")]

    def __str__(self) -> str:
        return self.origin


class RefusedOrigin(models.Model):
    """An origin that tried to use a site's chat and may not; kept so that it can be allowed."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="refusals")
    origin = models.CharField(max_length=255)
    num_tries = models.PositiveIntegerField(default=1)
    last = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("-last",)
        constraints = [models.UniqueConstraint(fields=["site", "origin"], name="refused_origin")]

    def __str__(self) -> str:
        return self.origin
