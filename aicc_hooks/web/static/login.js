"use strict";
// The server names the problem by a word; the sentence is here, so nothing from the address bar is shown.
const WORDS = {
  wrong: "That is not this gateway's key.",
  slow: "Too many wrong keys. Wait a minute, then try again.",
  origin: "The form was not sent from this page. Open it directly and try again.",
  unset: "The gateway has no key yet: set AICC_MASTER_KEY or run `aicc init`, then restart it.",
};
const why = WORDS[new URLSearchParams(location.search).get("problem")];
if (why) {
  const place = document.getElementById("problem");
  place.textContent = why;
  place.hidden = false;
}
