"""Django's settings, made from the table in ``backend/env.py``."""

from __future__ import annotations

import logging

from ai_model.log_format import formatter
from apps.api.rest_settings import REST
from backend.cache import cache
from backend.database import database
from backend.env import BASE_DIR, load
from backend.secret import secret_key
from backend.var_dir import prepare_var_dir

ENV = load()
IS_PRODUCTION = ENV["DJANGO_ENV"] == "production"
DEBUG = ENV["DEBUG"]

# The settings of the product keep their names, so `settings.CORRAL_MAX_CHARS` works everywhere.
globals().update({name: value for name, value in ENV.items() if name.startswith("CORRAL_")})
CORRAL_VAR_DIR = prepare_var_dir((BASE_DIR / ENV["CORRAL_VAR_DIR"]).resolve())

SECRET_KEY = secret_key(ENV["SECRET_KEY"], is_production=IS_PRODUCTION, var_dir=CORRAL_VAR_DIR)
SECRET_KEY_FALLBACKS = ENV["SECRET_KEY_FALLBACKS"]
ALLOWED_HOSTS = ENV["ALLOWED_HOSTS"]
CSRF_TRUSTED_ORIGINS = ENV["CSRF_TRUSTED_ORIGINS"]

INSTALLED_APPS = [
    "daphne",
    "whitenoise.runserver_nostatic",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "apps.ai_chat",
    "apps.ai_pool",
    "apps.widget",
    "apps.api",
]

MIDDLEWARE = [
    "backend.response_headers.complete_headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "apps.ai_pool.audit.origin.remember_request",
    "apps.widget.cors.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "backend.page_language.PageLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "backend.urls"
ASGI_APPLICATION = "backend.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": database(ENV["DATABASE_URL"], CORRAL_VAR_DIR)}
CACHES = {"default": cache(ENV["CORRAL_CACHE_URL"])}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# The languages visitors can read; each but the first has its catalogs in locale/.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "German"), ("ar", "Arabic")]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "corral_language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = IS_PRODUCTION
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = not IS_PRODUCTION
WHITENOISE_AUTOREFRESH = not IS_PRODUCTION
if IS_PRODUCTION:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }

DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        # 'self' covers the chat socket too: a browser matches ws: and wss: of the same host.
        "connect-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_PRODUCTION
SECURE_SSL_REDIRECT = IS_PRODUCTION and ENV["SECURE_SSL_REDIRECT"]
# Probes and Prometheus come from the machine itself or its orchestrator, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if IS_PRODUCTION else 0
# This site's name alone: what its owner runs on other names below it is not ours to decide.
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SECURE_HSTS_PRELOAD = False
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # they ask for those two
if ENV["NUM_PROXIES"]:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

REST_FRAMEWORK = REST | {"NUM_PROXIES": ENV["NUM_PROXIES"]}
SPECTACULAR_SETTINGS = {
    "TITLE": "Corral",
    "DESCRIPTION": "Conversations, answers and the pool that writes them.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # What is sent and what comes back are different things.
    "COMPONENT_SPLIT_REQUEST": True,
    # Tests look; making it at each start would cost seconds.
    "ENABLE_DJANGO_DEPLOY_CHECK": False,
    "SERVE_INCLUDE_SCHEMA": False,
    "PREPROCESSING_HOOKS": ["apps.api.openapi.by_hand.leave_out"],
    # Choices stay where they are used: named apart, their names would change with each other.
    "POSTPROCESSING_HOOKS": ["apps.api.openapi.by_hand.add_openai"],
}

# Daphne's log observer swallows Python's warnings unless logging takes them.
logging.captureWarnings(True)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "chosen": {"()": formatter, "name": ENV["CORRAL_LOG_FORMAT"]},
    },
    "filters": {
        # "Not ready yet" is what a probe asks for, not an error of the server; and who asks for a
        # page that is not there may have typed anything into the address.
        "unexpected": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: getattr(record, "status_code", None) not in (404, 503),
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "chosen"}},
    "root": {"handlers": ["console"], "level": ENV["LOG_LEVEL"]},
    "loggers": {
        # Django's own console handler writes in DEBUG only, and its mail handler would send
        # request data; both give way to the root's.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.request": {"filters": ["unexpected"]},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        # One line for every request and every socket is noise at INFO.
        "django.channels.server": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "asyncio": {"level": "WARNING"},
    },
}
