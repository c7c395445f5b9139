// A sign-in that ended leads to the sign-in page; a server that is away is said so, once.
(function () {
  const noc = (window.noc = window.noc || {});
  const plain = window.fetch;

  noc.signIn = function () {
    const here = window.location.pathname + window.location.search;
    window.location.assign(`/login?next=${encodeURIComponent(here)}`);
  };

  window.fetch = function (resource, options) {
    const url = typeof resource === "string" ? resource : resource.url || "";
    const ours = url.includes("/_dash-");
    const body = (options || {}).body;
    const acting = ours && typeof body === "string" && body.includes('"feed-result.data"');
    return plain.call(this, resource, options).then(
      (answer) => {
        if (ours && answer.status === 401) {
          noc.signIn();
          return new Promise(() => {}); // The page is on its way out; nobody waits for this.
        }
        if (acting && !answer.ok) noc.failedAction();
        else if (ours && answer.status >= 500) noc.trouble("The server could not answer. What is shown may be old.");
        return answer;
      },
      (error) => {
        if (acting) noc.failedAction();
        else if (ours) noc.trouble("The server cannot be reached. What is shown may be old.");
        throw error;
      },
    );
  };

  let told = 0;
  noc.trouble = function (words) {
    if (Date.now() - told < 15000) return;
    told = Date.now();
    noc.toast(words, { bad: true });
  };
})();
