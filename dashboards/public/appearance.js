// Dark or light, before the first paint: what the reader chose, else what their system prefers.
// The cookie tells the server, which draws charts in the same colours.
(function () {
  const KEY = "noc-scheme";
  const noc = (window.noc = window.noc || {});

  function stored() {
    try {
      return window.localStorage.getItem(KEY);
    } catch (error) {
      return null; // Storage is switched off: the system's preference holds.
    }
  }

  function preferred() {
    return window.matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
  }

  function show(scheme) {
    document.documentElement.setAttribute("data-mantine-color-scheme", scheme);
    document.cookie = `noc_scheme=${scheme}; path=/; max-age=31536000; samesite=lax`;
  }

  const kept = stored();
  noc.scheme = kept === "light" || kept === "dark" ? kept : preferred();
  show(noc.scheme);

  noc.setScheme = function (scheme) {
    noc.scheme = scheme;
    try {
      window.localStorage.setItem(KEY, scheme);
    } catch (error) {
      console.info("The choice of colours lasts until the page is closed.");
    }
    show(scheme);
  };
})();
