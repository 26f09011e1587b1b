// Shows the OpenAPI document, in Swagger UI or in ReDoc. Requests of Swagger UI go out as the person who is signed in.
"use strict";

const swagger = document.getElementById("swagger");
const redoc = document.getElementById("redoc");
const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");

const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
const whenColoursChange = (change) => {
  system.addEventListener("change", change);
  addEventListener("storage", (event) => event.key === "theme" && change());
};

if (swagger) {
  const colour = () => root.classList.toggle("dark-mode", isDark()); // the class of its own dark theme
  colour();
  whenColoursChange(colour);
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

// ReDoc reckons with colours, so it needs them as they are now rather than by the names of our style sheet.
const coloursOfRedoc = () => {
  const probe = document.createElement("i");
  document.body.append(probe);
  const colour = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const [ink, soft, line, rail, accent] = ["ink", "ink-soft", "line", "rail", "accent"].map(colour);
  const family = getComputedStyle(document.body).fontFamily;
  const theme = {
    colors: {
      primary: { main: accent },
      success: { main: accent },
      warning: { main: colour("warning") },
      error: { main: colour("danger") },
      gray: { 50: rail, 100: colour("panel") },
      text: { primary: ink, secondary: soft },
      border: { dark: line, light: line },
    },
    schema: { nestedBackground: rail, linesColor: line, typeNameColor: soft, typeTitleColor: soft },
    sidebar: { backgroundColor: rail, textColor: ink, activeTextColor: accent },
    typography: {
      fontFamily: family,
      headings: { fontFamily: family },
      code: { color: ink, backgroundColor: colour("panel") },
    },
    // Dark in either theme, as a terminal.
    rightPanel: {
      backgroundColor: isDark() ? colour("raised") : ink,
      servers: { overlay: { backgroundColor: rail, textColor: ink }, url: { backgroundColor: rail } },
    },
    fab: { backgroundColor: colour("raised"), color: accent },
  };
  probe.remove();
  return theme;
};

if (redoc) {
  whenColoursChange(() => location.reload());
  Redoc.init(
    redoc.dataset.schema,
    { disableSearch: false, hideDownloadButton: false, nativeScrollbars: true, theme: coloursOfRedoc() },
    redoc,
  );
}
