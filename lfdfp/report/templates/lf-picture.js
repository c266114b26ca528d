"use strict";
// <lf-picture src="IMG_0001/inspect.html"> shows the page of a light-field picture inside another page: the picture
// alone, which can be refocused. Attributes: src, view, compare, aperture. Methods: focus(x, y) with shares of width and height
// from 0 to 1, setFocus(disparity), setAperture(factor). Event "focuschange" with detail {x, y, disparity}.
class LfPicture extends HTMLElement {
  static observedAttributes = ["src", "view", "compare", "aperture"];
  #frame = null;
  #ready = false;
  #waiting = [];
  #heard = (event) => {
    if (!this.#frame || event.source !== this.#frame.contentWindow || !event.data || !event.data.lfPicture) return;
    const {lfPicture: what, size, x, y, disparity} = event.data;
    if (what === "ready") {
      this.#ready = true;
      this.#frame.style.aspectRatio = `${Number(size[0])} / ${Number(size[1])}`;
      for (const message of this.#waiting.splice(0)) this.#tell(message);
      this.dispatchEvent(new Event("load"));
    } else if (what === "focus") {
      this.dispatchEvent(new CustomEvent("focuschange", {detail: {x, y, disparity}}));
    }
  };
  connectedCallback() {
    if (!this.style.display) this.style.display = "block";
    addEventListener("message", this.#heard);
    this.#show();
  }
  disconnectedCallback() { removeEventListener("message", this.#heard); }
  attributeChangedCallback() { if (this.isConnected) this.#show(); }
  focus(x, y) { if (typeof x === "number") this.#tell({lfPicture: "focus", x, y}); else super.focus(x); }
  setFocus(disparity) { this.#tell({lfPicture: "setFocus", disparity}); }
  setAperture(factor) { this.#tell({lfPicture: "setAperture", factor}); }
  #tell(message) { if (this.#ready) this.#frame.contentWindow.postMessage(message, "*"); else this.#waiting.push(message); }
  #show() {
    const words = new URLSearchParams({embed: "1"});
    for (const name of ["view", "compare", "aperture"]) if (this.hasAttribute(name)) words.set(name, this.getAttribute(name));
    this.#ready = false;
    this.#frame = document.createElement("iframe");
    this.#frame.title = this.getAttribute("title") || "Picture that can be refocused";
    this.#frame.style.cssText = "display:block;width:100%;height:100%;border:0;aspect-ratio:3/2";
    if (this.getAttribute("src")) this.#frame.src = this.getAttribute("src").split("#")[0] + "#" + words;
    this.replaceChildren(this.#frame);
  }
}
customElements.define("lf-picture", LfPicture);
