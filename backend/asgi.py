"""The ASGI application: pages and API by Django, the chat by Channels, and the start of the pool.

Importing this module starts the pool, and nothing else in the project does: it is imported once,
in the process that serves.
"""

from __future__ import annotations

import os
import sys

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")
try:
    django_application = get_asgi_application()
except ImproperlyConfigured as error:
    sys.exit(f"corral: {error}")

# These need Django to be set up.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from apps.ai_chat.backlog import WithBacklog  # noqa: E402
from apps.ai_chat.routing import websocket_urlpatterns  # noqa: E402
from apps.ai_pool.lifecycle import start_pool  # noqa: E402
from apps.ai_pool.metrics_sockets import CountedSockets  # noqa: E402
from apps.ai_pool.server_lock import hold_server_lock  # noqa: E402
from apps.api.openai.program_lane import WithProgramLane  # noqa: E402
from backend.body_limit import WithBodyLimit  # noqa: E402
from backend.daphne_bodies import bound_bodies  # noqa: E402
from backend.daphne_pings import bound_pings  # noqa: E402
from backend.lifespan import follow_reactor, lifespan  # noqa: E402
from backend.open_files import raise_limit  # noqa: E402
from backend.request_ids import WithRequestIds  # noqa: E402
from backend.socket_threads import SocketThreads  # noqa: E402

raise_limit()
bound_bodies()
bound_pings()
hold_server_lock(settings.CORRAL_VAR_DIR)
start_pool()
follow_reactor()

# The backlog is outermost: it must see the server's own ``send``.
application = WithBacklog(
    WithRequestIds(
        WithBodyLimit(
            ProtocolTypeRouter(
                {
                    "http": WithProgramLane(django_application),
                    "websocket": CountedSockets(
                        SocketThreads(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))
                    ),
                    "lifespan": lifespan,
                }
            )
        )
    )
)
