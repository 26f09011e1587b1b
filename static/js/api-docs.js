// Shows the OpenAPI document, in Swagger UI or in ReDoc. Requests of Swagger UI go out as the person who is signed in.
"use strict";

const swagger = document.getElementById("swagger");
const redoc = document.getElementById("redoc");

if (swagger) {
  SwaggerUIBundle({
    url: swagger.dataset.schema,
    domNode: swagger,
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    filter: true,
    validatorUrl: null,
    requestInterceptor(request) {
      if (!["GET", "HEAD"].includes(request.method) && new URL(request.url, location).origin === location.origin) {
        request.headers["X-CSRFToken"] = swagger.dataset.csrf;
      }
      return request;
    },
  });
}

if (redoc) {
  Redoc.init(redoc.dataset.schema, { disableSearch: false, hideDownloadButton: false, nativeScrollbars: true }, redoc);
}
