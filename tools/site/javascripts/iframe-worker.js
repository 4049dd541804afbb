// Search runs in a worker, and browsers start none for a page opened from a folder (file://). There, a hidden frame of the
// same page stands in for it: it loads the worker's script and passes messages.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.appendChild(frame);
      this.inside = frame.contentWindow;
      this.frame = frame;
      this.ready = new Promise((resolve) => {
        this.started = resolve;
      });
      this.hear = (event) => {
        if (event.source !== this.inside) return;
        const message = new MessageEvent("message", {data: event.data});
        this.dispatchEvent(message);
        if (this.onmessage) this.onmessage(message);
      };
      window.addEventListener("message", this.hear);
      this.inside.begun = this.started;
      const page = this.inside.document;
      page.open();
      page.write(`<!doctype html><script>
        postMessage = (data) => parent.postMessage(data, "*");
        importScripts = (...urls) => urls.reduce((before, url) => before.then(() => new Promise((done, failed) => {
          const script = document.createElement("script");
          script.src = url;
          script.onload = done;
          script.onerror = failed;
          document.body.appendChild(script);
        })), Promise.resolve());
        <\/script><body><script src="${url}" onload="begun()"><\/script></body>`);
      page.close();
    }
    postMessage(data) {
      this.ready.then(() => this.inside.dispatchEvent(new MessageEvent("message", {data: structuredClone(data)})));
    }
    terminate() {
      window.removeEventListener("message", this.hear);
      this.frame.remove();
    }
  };
}
