"""Sites over REST, for staff and programs of the operator."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.change_log import log_change
from apps.api.etag import with_etag
from apps.api.model_permission import may_manage
from apps.api.openapi.described import PageOf, Tag, described
from apps.api.pagination import SitePages
from apps.api.rest_view import RestView
from apps.api.site_serializers import SiteSerializer
from apps.widget import site_editing
from apps.widget.models import Site


class SiteList(RestView):
    """``GET``: all sites by name."""

    permission_classes = (may_manage(Site),)

    @described("sites_list", "All sites by name", tag=Tag.SITES, response=PageOf(SiteSerializer))
    @with_etag
    def get(self, request: Request) -> Response:
        pages = SitePages()
        page = pages.paginate_queryset(site_editing.list_sites(), request, view=self) or []
        return pages.get_paginated_response(SiteSerializer(page, many=True).data)


class SiteDetail(RestView):
    """``GET`` one site, ``PATCH`` what there is to change about it."""

    permission_classes = (may_manage(Site),)

    @described("site_read", "One site", tag=Tag.SITES, response=SiteSerializer)
    @with_etag
    def get(self, request: Request, key: str) -> Response:
        return Response(SiteSerializer(site_editing.get_site(key)).data)

    @described(
        "site_change",
        "Change what there is to change about a site",
        tag=Tag.SITES,
        request=SiteSerializer,
        response=SiteSerializer,
    )
    def patch(self, request: Request, key: str) -> Response:
        site = site_editing.get_site(key)
        given = SiteSerializer(site, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        site = site_editing.change_site(site, **given.validated_data)
        log_change(request, site, sorted(given.validated_data))
        return Response(SiteSerializer(site).data)
