// Shows the description of the API with Swagger UI, in the colours the browser prefers.
"use strict";

(() => {
  const place = document.getElementById("api-docs");
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");

  function paint() {
    document.documentElement.classList.toggle("dark-mode", prefersDark.matches);
  }

  function csrfToken() {
    const found = document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/);
    return found ? decodeURIComponent(found[1]) : "";
  }

  // Whoever tries things out as a visitor or a member of staff proves that this page asks.
  function withToken(request) {
    const isOurs = new URL(request.url, location.href).origin === location.origin;
    if (isOurs && !request.loadSpec) request.headers["X-CSRFToken"] = csrfToken();
    return request;
  }

  paint();
  prefersDark.addEventListener("change", paint);
  window.SwaggerUIBundle({
    domNode: place,
    url: place.dataset.schema,
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    filter: true,
    // The usual one sends what it shows to a server elsewhere.
    validatorUrl: null,
    requestInterceptor: withToken,
  });
})();
