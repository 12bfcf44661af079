// The page of `listen`. What was received is hostile: it is shown through `textContent` only.

// ---------------------------------------------------------------------------------------------------------------------
// Elements

const $ = (id) => document.getElementById(id);

/** Makes an element. Functions become listeners, `style` is an object, the rest attributes. */
function el(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(key, value);
    else if (key === "style") for (const [name, to] of Object.entries(value)) element.style.setProperty(name, to);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null));
  return element;
}

const button = (text, click, properties = {}) => el("button", { type: "button", click, ...properties }, text);

/** A button that shows its key. */
const keyButton = (text, key, click, properties = {}) =>
  button([text, el("kbd", { "aria-hidden": "true" }, key)], click, { "aria-keyshortcuts": key, ...properties });

const count = (number) => number.toLocaleString("en");
const plural = (number, one, many) => `${count(number)} ${number === 1 ? one : many}`;
const wait = (time) => new Promise((resolve) => setTimeout(resolve, time));

/** Calls `f` once, some time after the last call. */
function debounced(time, f) {
  let timer;
  return (...rest) => {
    clearTimeout(timer);
    timer = setTimeout(() => f(...rest), time);
  };
}

const narrow = matchMedia("(max-width: 699.98px)");

// ---------------------------------------------------------------------------------------------------------------------
// Calls

let token = null;

/** Moves the token from the link to this tab: the address bar and the history do not keep it. */
function takeToken() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const given = fragment.get("t");
  if (given) {
    sessionStorage.setItem("token", given);
    fragment.delete("t");
    replaceFragment(fragment);
  }
  token = sessionStorage.getItem("token");
  return Boolean(given);
}

function replaceFragment(fragment) {
  const text = fragment.toString();
  history.replaceState(null, "", location.pathname + (text && `#${text}`));
}

async function request(path, body, signal) {
  const headers = { authorization: `Bearer ${token}` };
  if (body !== undefined) headers["content-type"] = "application/json";
  const response = await fetch(`/api/${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
    credentials: "omit",
    redirect: "error",
    signal,
  });
  if (response.ok) return response;
  const text = await response.text();
  let error = text;
  try {
    error = JSON.parse(text).error ?? text;
  } catch {
    // A refusal of the framework is plain text.
  }
  if (response.status === 401) lock(error);
  throw new Error(error || `the call was answered ${response.status}`);
}

async function call(path, body, signal) {
  const response = await request(path, body, signal);
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

let isLocked = false;

/** Without the token of this run nothing can be shown. */
function lock(text) {
  isLocked = true;
  stream.close();
  const page = el("main", { class: "locked" }, el("div", { role: "alert" }, el("h2", {}, text), el("p", { class: "muted" }, "The link holds a token that is made anew each time.")));
  for (const part of document.querySelectorAll("dialog")) part.close();
  for (const part of lockable()) part.hidden = true;
  document.querySelector(".locked")?.remove();
  document.body.append(page);
}

const lockable = () => document.querySelectorAll(".panes, .filter, .facts, .actions");

function unlock() {
  isLocked = false;
  document.querySelector(".locked")?.remove();
  for (const part of lockable()) part.hidden = false;
}

// ---------------------------------------------------------------------------------------------------------------------
// The stream: read by `fetch`, as `EventSource` cannot send the token; closed while the tab is hidden

const SILENCE = 15_000;

const stream = {
  controller: null,
  isLive: false,

  async open() {
    this.close();
    const controller = new AbortController();
    this.controller = controller;
    for (let pause = 250; !controller.signal.aborted && !isLocked; pause = Math.min(pause * 2, 4000)) {
      try {
        const response = await request("stream", undefined, controller.signal);
        await readAll();
        this.is(true);
        pause = 250;
        await this.read(response.body, controller);
      } catch {
        // It is opened again.
      }
      if (controller.signal.aborted) return;
      this.is(false);
      await wait(pause);
    }
  },

  close() {
    this.controller?.abort();
    this.controller = null;
  },

  is(live) {
    if (this.isLive === live) return;
    this.isLive = live;
    showFacts();
    if (!live) announce("The connection to listen is lost");
  },

  /** A connection that is silent for longer than a sign of life takes is lost. */
  async read(body, controller) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    try {
      while (!controller.signal.aborted) {
        const silence = wait(SILENCE).then(() => ({ done: true }));
        const { value, done } = await Promise.race([reader.read(), silence]);
        if (done) return;
        const events = (text + value).split("\n\n");
        text = events.pop();
        for (const event of events) this.take(event);
      }
    } finally {
      reader.cancel().catch(() => {});
    }
  },

  take(event) {
    const field = (name) => event.split("\n").find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    const data = field("data");
    if (field("event") === "row") addRow(JSON.parse(data));
    else if (field("event") === "replays") showProgress(JSON.parse(data));
    else if (event.includes("reset")) readAll().catch(() => {});
  },
};

document.addEventListener("visibilitychange", () => {
  if (isLocked) return;
  if (document.hidden) stream.close();
  else stream.open();
});

// ---------------------------------------------------------------------------------------------------------------------
// What has come: the rows, the oldest first, and those that the filter shows, the newest first

const KEPT = 5500;

let rows = [];
let shown = [];
let found = null; // the keys that have the text of the search

async function readAll() {
  const list = await call("deliveries");
  const last = list.at(-1)?.key ?? 0;
  rows = [...list, ...rows.filter((row) => row.key > last)];
  showKinds();
  await search();
}

function addRow(row) {
  if (row.key <= (rows.at(-1)?.key ?? 0)) return;
  rows.push(row);
  if (rows.length > KEPT) rows.splice(0, rows.length - KEPT);
  if (!kinds.has(row.kind)) showKinds();
  announceRow(row);
  arrived();
}

/** Deliveries can come by the hundred: they are shown with the next frame, and searched a little later. */
let isFrame = false;
function arrived() {
  if (filter.text) searchSoon();
  if (isFrame) return;
  isFrame = true;
  requestAnimationFrame(() => {
    isFrame = false;
    applyFilter();
    if (detail.key !== null) detail.refreshAttempts();
  });
}

const isDelivery = (row) => row.id !== null;

// ---------------------------------------------------------------------------------------------------------------------
// Filter

const form = $("filter");
const filter = { text: "", kind: "", verdict: "", status: "", other: false };
const kinds = new Set();

function showKinds() {
  const select = form.elements.kind;
  for (const row of rows) if (isDelivery(row)) kinds.add(row.kind);
  if (filter.kind) kinds.add(filter.kind);
  const options = [...kinds].sort().map((kind) => el("option", { value: kind }, kind));
  select.replaceChildren(el("option", { value: "" }, "All kinds"), ...options);
  select.value = filter.kind;
}

function isShown(row) {
  if (!filter.other && !isDelivery(row)) return false;
  if (filter.kind && row.kind !== filter.kind) return false;
  if (filter.verdict && (row.verdict !== filter.verdict || !isDelivery(row))) return false;
  if (filter.status === "none" ? row.status !== null : filter.status && String(row.status)[0] !== filter.status) return false;
  return found === null || found.has(row.key);
}

function applyFilter() {
  shown = [];
  for (let index = rows.length - 1; index >= 0; index--) if (isShown(rows[index])) shown.push(rows[index]);
  const total = filter.other ? rows.length : rows.filter(isDelivery).length;
  $("count").textContent = shown.length === total ? count(total) : `${count(shown.length)} of ${count(total)}`;
  $("clear").disabled = !Object.values(filter).some(Boolean);
  $("replay-all").disabled = !shown.some((row) => isDelivery(row) && !row.is_cut);
  list.render();
  if (detail.key === null && !detail.isEditing) detail.showNothing();
}

let searches = 0;
async function search() {
  const number = ++searches;
  const keys = filter.text ? new Set(await call("search", { text: filter.text })) : null;
  if (number !== searches) return;
  found = keys;
  applyFilter();
}

const searchSoon = debounced(40, () => search().catch(() => {}));

function readForm() {
  const { text, kind, verdict, status, other } = form.elements;
  Object.assign(filter, { kind: kind.value, verdict: verdict.value, status: status.value, other: other.checked });
  const isNew = filter.text !== text.value;
  filter.text = text.value;
  keepFilter();
  list.toTop();
  if (isNew && filter.text) searchSoon();
  else if (isNew) search();
  else applyFilter();
}

/** The filter is in the fragment, which is sent to nobody. */
function keepFilter() {
  const fragment = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) if (value) fragment.set(name, value === true ? "1" : value);
  replaceFragment(fragment);
}

function takeFilter() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  for (const name of ["text", "kind", "verdict", "status"]) filter[name] = fragment.get(name) ?? "";
  filter.other = fragment.has("other");
  showKinds();
  for (const name of ["text", "verdict", "status"]) form.elements[name].value = filter[name];
  form.elements.other.checked = filter.other;
}

form.addEventListener("input", readForm);
form.addEventListener("reset", () => setTimeout(readForm));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  list.element.focus();
});

// ---------------------------------------------------------------------------------------------------------------------
// List: a window of rows. The selection is a delivery, wherever its row is

const VERDICTS = {
  authentic: ["✓", "authentic", "good"],
  unauthentic: ["✗", "not authentic", "bad"],
  unchecked: ["○", "unchecked", "muted"],
};
const FROM_PAGE = { replay: "replay of", edit: "edited from", trigger: "triggered" };

const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const timeOf = (row) => clock.format(new Date(row.at));
const fromPage = (row) => row.from_page && `${FROM_PAGE[row.from_page]}${row.replay_of === null ? "" : ` ${row.replay_of}`}`;
const millis = (row) => (row.took_ms === null ? "" : `${count(Math.round(row.took_ms))} ms`);
const tone = (status) => (status >= 200 && status < 300 ? "good" : "bad");

/** A bar up to the time that Cronofy waits. */
function meter(row) {
  const share = Math.min((row.took_ms ?? row.limit_ms) / row.limit_ms, 1);
  const level = share >= 1 ? "meter over" : share >= 0.6 ? "meter slow" : "meter";
  return el("span", { class: level, "aria-hidden": "true" }, el("i", { style: { width: `${Math.max(share * 100, 1)}%` } }));
}

function verdictOf(row) {
  if (!isDelivery(row)) return el("span", { class: "verdict muted" }, "not a delivery");
  const [icon, word, level] = VERDICTS[row.verdict];
  return el("span", { class: `verdict ${level}` }, el("span", { class: "icon", "aria-hidden": "true" }, icon), word);
}

const list = {
  element: $("list"),
  space: el("div", { class: "space", role: "presentation" }),
  nodes: new Map(),
  top: null, // the key of the newest row that was shown
  unseen: 0,

  height: null,

  /** As the style sheet says. */
  rowHeight() {
    this.height ??= parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row"));
    return this.height;
  },

  /** Shows the rows in sight. What has come above them moves neither them nor the selection. */
  render() {
    const { element, space } = this;
    const height = this.rowHeight();
    const added = this.top === null ? 0 : shown.findIndex((row) => row.key <= this.top);
    const isAway = element.scrollTop >= height;
    space.style.setProperty("height", `${shown.length * height}px`);
    if (added > 0 && isAway) {
      element.scrollTop += added * height;
      this.unseen += added;
    }
    if (!isAway) this.unseen = 0;
    this.top = shown[0]?.key ?? null;
    this.draw(height);
    $("new").hidden = this.unseen === 0;
    $("new").textContent = `${count(this.unseen)} new ↑`;
  },

  draw(height = this.rowHeight()) {
    const { element, space, nodes } = this;
    const first = Math.max(Math.floor(element.scrollTop / height) - 10, 0);
    const last = Math.min(first + Math.ceil(element.clientHeight / height) + 20, shown.length);
    const wanted = new Set();
    const selected = shown.findIndex((row) => row.key === detail.selected);
    for (let index = first; index < last; index++) wanted.add(index);
    // What is active must be there, also out of sight.
    if (selected >= 0) wanted.add(selected);
    const keys = new Set([...wanted].map((index) => shown[index].key));
    for (const [key, node] of nodes) {
      if (!keys.has(key)) {
        node.remove();
        nodes.delete(key);
      }
    }
    // In the order in which they are seen.
    let next = space.firstChild;
    for (const index of [...wanted].sort((a, b) => a - b)) {
      const node = this.place(index, height);
      if (node === next) next = next.nextSibling;
      else space.insertBefore(node, next);
    }
    if (selected < 0) element.removeAttribute("aria-activedescendant");
    else element.setAttribute("aria-activedescendant", `row-${detail.selected}`);
    this.showEmpty();
    space.dataset.rows = nodes.size;
  },

  /** The node of a row, where it is now. */
  place(index, height) {
    const row = shown[index];
    let node = this.nodes.get(row.key);
    if (!node) {
      node = this.make(row);
      this.nodes.set(row.key, node);
    }
    node.style.setProperty("transform", `translateY(${index * height}px)`);
    node.setAttribute("aria-posinset", index + 1);
    node.setAttribute("aria-setsize", shown.length);
    node.setAttribute("aria-selected", row.key === detail.selected);
    return node;
  },

  make(row) {
    const what = isDelivery(row) ? row.kind : `${row.method} ${row.uri}`;
    const tags = [fromPage(row), isDelivery(row) && row.of !== null && !row.from_page && `attempt ${row.attempt}`];
    return el(
      "div",
      { class: isDelivery(row) ? "row" : "row other", role: "option", id: `row-${row.key}`, "data-key": row.key },
      el("span", { class: "time" }, timeOf(row)),
      el("span", { class: "kind", title: what }, what, tags.filter(Boolean).map((tag) => el("span", { class: "tag" }, tag))),
      el("span", { class: "channel", title: row.channel }, row.channel ?? ""),
      verdictOf(row),
      el("span", { class: `status ${tone(row.status)}` }, row.status ?? "none"),
      el("span", { class: "answer-time" }, meter(row), el("span", { class: "ms" }, millis(row))),
    );
  },

  showEmpty() {
    const text = rows.some((row) => filter.other || isDelivery(row)) ? "Nothing matches the filter." : "Nothing has come yet.";
    $("none").hidden = shown.length > 0;
    if ($("none").textContent !== text) $("none").textContent = text;
  },

  toTop() {
    this.element.scrollTop = 0;
    this.unseen = 0;
    this.top = null;
  },

  /** Selects the delivery that is so many rows below. */
  move(by) {
    if (shown.length === 0) return;
    const index = shown.findIndex((row) => row.key === detail.selected);
    const next = index < 0 ? 0 : Math.min(Math.max(index + by, 0), shown.length - 1);
    this.select(shown[next].key);
  },

  select(key, isOpened = !narrow.matches || document.body.dataset.view === "detail") {
    detail.selected = key;
    this.reveal(key);
    this.draw();
    if (isOpened) detail.openSoon(key);
  },

  reveal(key) {
    const index = shown.findIndex((row) => row.key === key);
    if (index < 0) return;
    const { element } = this;
    const [top, height] = [index * this.rowHeight(), this.rowHeight()];
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + height > element.scrollTop + element.clientHeight) element.scrollTop = top + height - element.clientHeight;
  },
};

list.element.append(list.space);
list.element.addEventListener("scroll", () => {
  if (list.element.scrollTop < list.rowHeight()) {
    list.unseen = 0;
    $("new").hidden = true;
  }
  list.draw();
});
list.element.addEventListener("click", (event) => {
  const node = event.target.closest(".row");
  if (!node) return;
  list.select(Number(node.dataset.key), true);
  if (narrow.matches) view("detail");
});
$("new").addEventListener("click", () => {
  list.toTop();
  list.render();
  list.element.focus();
});
new ResizeObserver(() => {
  const { offsetWidth, clientWidth } = list.element;
  document.documentElement.style.setProperty("--scrollbar", `${offsetWidth - clientWidth}px`);
  list.draw();
}).observe(list.element);
narrow.addEventListener("change", () => {
  list.height = null;
  list.render();
});

/** What is in sight on a narrow screen. */
function view(name) {
  document.body.dataset.view = name;
}

// ---------------------------------------------------------------------------------------------------------------------
// Detail

const TABS = ["Body", "Signature", "Headers", "Answer", "Attempts", "Difference"];

const detail = {
  element: $("detail"),
  selected: null, // in the list
  key: null, // of what is shown
  data: null,
  tab: "Body",
  isEditing: false,

  openSoon: debounced(40, (key) => detail.open(key).catch((error) => tell(error.message))),

  async open(key) {
    const isShown = () => this.key === key || this.selected !== key;
    if (isShown()) return;
    const data = await call(`deliveries/${key}`);
    // Meanwhile another one may have been selected, or this one shown.
    if (!isShown()) this.show(data);
  },

  show(data) {
    this.data = data;
    this.key = data.row.key;
    this.isEditing = false;
    const hadFocus = this.element.contains(document.activeElement);
    const { row } = data;
    this.panel = el("div", { role: "tabpanel", id: "panel" });
    const tabs = el("div", {}, this.tabs(isDelivery(row)), this.panel);
    this.aside = el("div", { class: "aside" });
    this.element.replaceChildren(...this.head(data), el("div", { class: "wide" }, tabs, this.aside));
    this.element.scrollTop = 0;
    this.openTab(isDelivery(row) || ["Body", "Headers", "Answer"].includes(this.tab) ? this.tab : "Body");
    // What had it is gone.
    if (hadFocus) this.focus();
  },

  head({ row, outcome }) {
    const title = isDelivery(row) ? row.kind : `${row.method} ${row.uri}`;
    const number = isDelivery(row) ? el("span", { class: "number" }, `#${row.id}`) : null;
    const about = [
      new Date(row.at).toLocaleString("en-GB"),
      isDelivery(row) && `${row.method} ${row.uri}`,
      row.channel,
      `${plural(row.length, "byte", "bytes")}${row.is_cut ? ", of which the first 64 KiB were kept" : ""}`,
      fromPage(row),
    ];
    const hint = outcome.hint && el("small", {}, outcome.hint);
    return [
      button("← Back", back, { class: "back" }),
      el("h2", { tabindex: "-1", id: "title" }, title, number),
      el("p", { class: "about" }, about.filter(Boolean).map((text) => el("span", {}, text))),
      el("div", { class: `outcome ${outcome.tone}` }, outcome.text, hint),
      this.buttons(row),
    ];
  },

  buttons(row) {
    this.said = el("p", { class: "said", role: "status" });
    const whole = { disabled: row.is_cut || !isDelivery(row) };
    return el(
      "div",
      { class: "buttons" },
      keyButton("Replay", "r", () => actions.replay(), whole),
      keyButton("Edit", "e", () => actions.edit(), whole),
      keyButton("Copy as curl", "c", () => actions.copy(), { disabled: row.is_cut }),
      keyButton("Save as fixture", "s", () => actions.save(), whole),
      this.said,
    );
  },

  say(...text) {
    this.said.replaceChildren(...text);
  },

  tabs(isWhole) {
    const names = isWhole ? TABS : ["Body", "Headers", "Answer"];
    const tabs = names.map((name) =>
      el("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "panel", click: () => this.openTab(name) }, name),
    );
    return el("div", { role: "tablist", "aria-label": "Parts of the delivery", keydown: moveTab }, tabs);
  },

  openTab(name) {
    this.tab = name;
    for (const tab of this.element.querySelectorAll("[role=tab]")) {
      const isOpen = tab.id === `tab-${name}`;
      tab.setAttribute("aria-selected", isOpen);
      tab.tabIndex = isOpen ? 0 : -1;
    }
    this.panel.setAttribute("aria-labelledby", `tab-${name}`);
    this.panel.replaceChildren(...PANELS[name](this.data));
    const beside = name === "Answer" ? "Body" : "Answer";
    this.aside.replaceChildren(el("h2", {}, beside), ...PANELS[beside](this.data));
  },

  refreshAttempts() {
    if (this.tab === "Attempts" && !this.isEditing) this.panel.replaceChildren(...attemptsPanel(this.data));
  },

  /** Takes the focus: what a keyboard or a screen reader is at. */
  focus() {
    view("detail");
    (this.element.querySelector("#title") ?? this.element).focus();
  },

  showNothing() {
    const hasRows = rows.some(isDelivery);
    if (this.element.dataset.nothing === String(hasRows) && this.element.contains(firstSteps.element)) return;
    this.element.dataset.nothing = hasRows;
    this.element.replaceChildren(
      button("← Back", back, { class: "back" }),
      el("h2", { tabindex: "-1", id: "title" }, hasRows ? "Choose a delivery" : "Waiting for a delivery"),
      el("p", { class: "about" }, hasRows ? "With j and k, the arrows or the mouse. How deliveries get here:" : "Here is how the first one gets here:"),
      firstSteps.element,
    );
    firstSteps.show();
  },
};

/** The arrow keys, as in the pattern for tabs. */
function moveTab(event) {
  const tabs = [...event.currentTarget.children];
  const index = tabs.indexOf(document.activeElement);
  const next = { ArrowRight: index + 1, ArrowLeft: index - 1 + tabs.length, Home: 0, End: tabs.length - 1 }[event.key];
  if (next === undefined || index < 0) return;
  event.preventDefault();
  event.stopPropagation();
  const tab = tabs[next % tabs.length];
  tab.click();
  tab.focus();
}

function back() {
  view("list");
  list.element.focus();
}

// ---------------------------------------------------------------------------------------------------------------------
// The parts of a delivery

const PANELS = {
  Body: bodyPanel,
  Signature: signaturePanel,
  Headers: (data) => [headersTable(data.headers)],
  Answer: (data) => answerPanel(data),
  Attempts: attemptsPanel,
  Difference: differencePanel,
};

/** Buttons of which one is pressed. */
function choice(label, names, chosen, choose) {
  const buttons = names.map((name) =>
    button(name, () => {
      for (const other of buttons) other.setAttribute("aria-pressed", other === buttons[names.indexOf(name)]);
      choose(name);
    }, { "aria-pressed": String(name === chosen) }),
  );
  return el("div", { class: "choice", role: "group", "aria-label": label }, buttons);
}

let bodyForm = "Pretty";

function bodyPanel(data) {
  const bytes = decode(data.body_b64);
  const content = el("div", {});
  const show = (form) => {
    bodyForm = form;
    content.replaceChildren(...BODY_FORMS[form](bytes, data));
  };
  const forms = isDelivery(data.row) ? Object.keys(BODY_FORMS) : ["Pretty", "Raw", "Hex"];
  const form = forms.includes(bodyForm) ? bodyForm : "Pretty";
  show(form);
  return [choice("Form of the body", forms, form, show), content];
}

const BODY_FORMS = {
  Pretty: (bytes) => prettyBody(bytes),
  Raw: (bytes) => {
    const text = textOf(bytes);
    return text === null ? [note("It is not UTF-8."), hexView(bytes)] : [el("pre", { class: "code" }, ...limited(text))];
  },
  Hex: (bytes) => [hexView(bytes)],
  Typed: (_, { typed }) => [
    typed.unknown === null ? null : el("p", { class: "outcome warning" }, `Unknown: ${typed.unknown}`),
    typed.invalid.length > 0 ? el("p", { class: "outcome warning" }, `These optional fields are invalid, and left out: ${typed.invalid.join(", ")}`) : null,
    note("As the Rust library cronofy-webhook types it. Fields that are not modelled are left out."),
    el("pre", { class: "code" }, ...limited(typed.text)),
  ].filter(Boolean),
};

const note = (text) => el("p", { class: "note" }, text);

function prettyBody(bytes) {
  if (bytes.length === 0) return [note("It is empty.")];
  const text = textOf(bytes);
  if (text === null) return [note("It is not UTF-8."), hexView(bytes)];
  if (text.length > SCANNED) return [note("It is too large to be formatted."), el("pre", { class: "code" }, ...limited(text))];
  const { tokens, error } = scan(text);
  if (error) return [note(`It is not JSON: ${problem(error)}.`), el("pre", { class: "code" }, ...limited(text))];
  return [el("pre", { class: "code" }, ...pretty(tokens))];
}

/** Larger texts are not taken apart. */
const SCANNED = 2_000_000;

/** More text than this would make the page slow: the rest is shown if it is asked for. */
const SHOWN = 200_000;

function limited(text) {
  if (text.length <= SHOWN) return [text];
  const rest = button(`Show the other ${count(text.length - SHOWN)} characters`, () => rest.replaceWith(text.slice(SHOWN)));
  return [text.slice(0, SHOWN), rest];
}

const HEX = 16 * 1024;

function hexView(bytes) {
  const lines = [];
  for (let at = 0; at < Math.min(bytes.length, HEX); at += 16) {
    const part = [...bytes.subarray(at, at + 16)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const ascii = part.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hex.padEnd(48)} ${ascii}`);
  }
  if (bytes.length > HEX) lines.push(`… and ${count(bytes.length - HEX)} more bytes`);
  return el("pre", { class: "code hex" }, lines.join("\n"));
}

function decode(base64) {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

/** The text of bytes, or null if they are not UTF-8. */
function textOf(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

function signaturePanel({ signature }) {
  const [icon, word, level] = VERDICTS[signature.verdict];
  const terms = [
    ["Verdict", el("span", { class: level }, `${icon} ${word}`)],
    ["Made with", signature.secret ?? "none of the client secrets"],
    ["Listed signatures", count(signature.listed)],
  ];
  if (signature.verdict === "unchecked") terms[1][1] = "not known: no client secret was given";
  if (signature.unknown) terms.push(["Of unknown secrets", `${signature.unknown}: if there is a new client secret, add it before the old one is revoked`]);
  if (signature.unused.length > 0) terms.push(["Made none", `${signature.unused.join(", ")}: revoked, if that is so for every delivery`]);
  if (signature.error) terms.push(["Why", signature.error]);
  const findings = signature.findings.map(({ certainty, secret, text }) =>
    el("div", { class: "finding" }, el("strong", {}, certainty), `: ${text}`, secret ? ` (${secret})` : ""),
  );
  if (signature.verdict === "unauthentic" && findings.length === 0) {
    findings.push(note("Nothing explains it: usually the client secret is that of another application or environment, or the body is not the bytes that were signed."));
  }
  return [el("dl", { class: "terms" }, terms.flatMap(([term, value]) => [el("dt", {}, term), el("dd", {}, value)])), ...findings];
}

function headersTable(headers) {
  if (headers.length === 0) return note("There are none.");
  const value = (value) => {
    if (value === null) return el("td", { class: "prose muted" }, "not kept: a credential");
    return typeof value === "string" ? el("td", {}, value) : el("td", {}, el("span", { class: "muted" }, "Base64: "), value.b64);
  };
  const body = headers.map(([name, of]) => el("tr", {}, el("th", { scope: "row" }, name), value(of)));
  return el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Name"), el("th", { scope: "col" }, "Value"))), el("tbody", {}, body));
}

const BY = {
  receiver: "The receiver",
  listen: "listen, as the receiver did not",
  fault: "The receiver, with another status by --fault",
};

function answerPanel({ answer, row }) {
  if (answer === null) return [note(`There was no answer: ${row.error}.`)];
  const terms = [
    ["Answered by", BY[answer.by]],
    ["Status", `${answer.status} ${answer.reason ?? ""}`],
    ["After", `${answer.took_ms.toFixed(1)} ms of ${row.limit_ms / 1000} s`],
  ];
  if (row.error) terms.push(["Why", row.error]);
  const bytes = decode(answer.body_b64);
  const isCut = answer.length > bytes.length;
  return [
    el("dl", { class: "terms" }, terms.flatMap(([term, value]) => [el("dt", {}, term), el("dd", {}, value)])),
    el("h3", {}, `Body, ${plural(answer.length, "byte", "bytes")}${isCut ? ", of which the first 64 KiB were kept" : ""}`),
    ...answerBody(bytes),
    el("h3", {}, "Headers"),
    headersTable(answer.headers),
  ];
}

function answerBody(bytes) {
  const text = textOf(bytes);
  if (text && (text.length > SCANNED || scan(text).error)) return [el("pre", { class: "code" }, ...limited(text))];
  return prettyBody(bytes);
}

function attemptsPanel({ row }) {
  const first = row.of ?? row.id;
  const attempts = rows.filter((other) => isDelivery(other) && (other.of ?? other.id) === first);
  const items = attempts.map((other) =>
    el(
      "li",
      { "aria-current": other.key === row.key ? "true" : null },
      el("span", {}, timeOf(other)),
      button(`#${other.id}`, () => list.select(other.key, true), { class: "link", "aria-label": `Delivery ${other.id}` }),
      meter(other),
      el("span", { class: "ms" }, millis(other)),
      el("span", { class: tone(other.status) }, `${other.status ?? "no answer"}${other.by === "listen" ? ", by listen" : ""}`, el("span", { class: "muted" }, fromPage(other) ? ` ${fromPage(other)}` : "")),
    ),
  );
  return [
    note(`The same bytes, at the same path: ${plural(attempts.length, "attempt", "attempts")}. A full bar is ${row.limit_ms / 1000} s, when Cronofy gives up.`),
    el("ol", { class: "attempts" }, items),
  ];
}

function differencePanel({ differences }) {
  const names = { original: "What was edited", previous: "The previous of this kind", sample: "The sample" };
  const there = Object.keys(names).filter((name) => differences[name]);
  if (there.length === 0) return [note("There is nothing to compare it with: it is the first of its kind, and no sample is of it.")];
  const content = el("div", {});
  const show = (label) => content.replaceChildren(...differenceTo(differences[there.find((name) => names[name] === label)]));
  show(names[there[0]]);
  return [choice("Compared with", there.map((name) => names[name]), names[there[0]], show), content];
}

function differenceTo({ name, is_identical, changes }) {
  if (is_identical) return [note(`The same bytes as ${name}.`)];
  if (changes === null) return [note(`It cannot be compared with ${name}: one of them is not JSON, or is large.`)];
  if (changes.length === 0) return [note(`The same JSON as ${name}, written differently.`)];
  const text = (value) => el("td", {}, value === null ? el("span", { class: "muted" }, "absent") : value);
  const body = changes.map(({ pointer, before, after }) => el("tr", {}, el("th", { scope: "row" }, pointer || "(all of it)"), text(before), text(after)));
  const head = ["Pointer", `In ${name}`, "Here"].map((title) => el("th", { scope: "col" }, title));
  return [note(`${plural(changes.length, "difference", "differences")} to ${name}.`), el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, body))];
}

// ---------------------------------------------------------------------------------------------------------------------
// JSON: its tokens as they were written, as parsing would change numbers and drop what is there twice

const TOKEN = /[\t\n\r ]+|[{}[\],:]|"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** The tokens of a JSON text without white space, or where it is none. */
function scan(text) {
  const tokens = [];
  const open = [];
  let expected = "value";
  const fail = (at, message) => ({ tokens, error: { at, message, ...position(text, at) } });
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) return fail(at, text[at] === '"' ? "the string does not end, or has a control character" : `unexpected ${text[at]}`);
    const [token] = match;
    if (/^\s/.test(token)) continue;
    const next = follow(token, expected, open);
    if (next === null) return fail(at, `expected ${EXPECTED[expected]}, not ${token.length > 20 ? `${token.slice(0, 20)}…` : token}`);
    tokens.push({ text: token, isKey: next === ":", depth: open.length });
    expected = next;
  }
  return expected === "end" ? { tokens, error: null } : fail(text.length, `expected ${EXPECTED[expected]}, and it ends`);
}

const EXPECTED = {
  value: "a value",
  "value or ]": "a value or ]",
  key: "a key in double quotes",
  "key or }": "a key or }",
  ":": "a colon",
  ", or }": "a comma or }",
  ", or ]": "a comma or ]",
  end: "nothing more",
};

/** What is expected after a token; null if it is not what was expected. Keeps `open` up to date. */
function follow(token, expected, open) {
  const after = () => (open.length === 0 ? "end" : open.at(-1) === "{" ? ", or }" : ", or ]");
  const isValue = expected.startsWith("value");
  if (isValue && (token === "{" || token === "[")) {
    open.push(token);
    return token === "{" ? "key or }" : "value or ]";
  }
  if ((token === "}" && expected.endsWith("or }")) || (token === "]" && expected.endsWith("or ]"))) {
    open.pop();
    return after();
  }
  if (isValue && /^["\-\dtfn]/.test(token)) return after();
  if (expected.startsWith("key") && token[0] === '"') return ":";
  if (expected === ":" && token === ":") return "value";
  if (expected.startsWith(",") && token === ",") return open.at(-1) === "{" ? "key" : "value";
  return null;
}

function position(text, at) {
  const before = text.slice(0, at);
  const line = before.split("\n").length;
  return { line, column: at - before.lastIndexOf("\n") };
}

const problem = ({ line, column, message }) => `line ${line}, column ${column}: ${message}`;

/** Calls `part` with each piece of the text, indented. */
function indented(tokens, part) {
  const end = (index) => tokens[index + 1]?.text;
  const newline = (depth) => part(`\n${"  ".repeat(depth)}`);
  tokens.forEach((token, index) => {
    const { text, depth } = token;
    const isOpen = text === "{" || text === "[";
    const isEmpty = isOpen && (end(index) === "}" || end(index) === "]");
    part(text, token);
    if (text === ":") part(" ");
    else if (text === ",") newline(depth);
    else if (isOpen && !isEmpty) newline(depth);
    if (!isEmpty && !isOpen && (end(index) === "}" || end(index) === "]")) newline(tokens[index + 1].depth);
  });
}

/** Indented and coloured; a large text is not coloured. */
function pretty(tokens) {
  const pieces = [];
  if (tokens.length > 8000) {
    indented(tokens, (text) => pieces.push(text));
    return limited(pieces.join(""));
  }
  indented(tokens, (text, token) => {
    const color = !token ? null : token.isKey ? "k" : text[0] === '"' ? "s" : /^[-\d]/.test(text) ? "n" : /^[tfn]/.test(text) ? "w" : null;
    pieces.push(color ? el("span", { class: color }, text) : text);
  });
  return pieces;
}

function formatted(text) {
  if (text.length > SCANNED) return text;
  const { tokens, error } = scan(text);
  if (error) return text;
  let result = "";
  indented(tokens, (piece) => (result += piece));
  return result;
}

// ---------------------------------------------------------------------------------------------------------------------
// What can be done with a delivery

const actions = {
  async replay() {
    const { row } = detail.data;
    if (row.is_cut || !isDelivery(row)) return;
    detail.say("Sending…");
    try {
      const data = await call("replay", { key: row.key });
      if (detail.key === row.key) detail.say(...sent(data, "Replayed"));
    } catch (error) {
      detail.say(el("span", { class: "bad" }, error.message));
    }
  },

  edit() {
    const { row, body_b64 } = detail.data;
    if (row.is_cut || !isDelivery(row)) return;
    const text = textOf(decode(body_b64));
    if (text === null) return detail.say("It is not text, and cannot be edited here.");
    openEditor({ of: row.key, title: `Edit ${row.kind} #${row.id}`, uri: row.uri, body: text });
  },

  async copy() {
    if (detail.data.row.is_cut) return;
    try {
      const { text } = await call(`deliveries/${detail.key}/curl`);
      await copyText(text);
    } catch (error) {
      detail.say(el("span", { class: "bad" }, error.message));
    }
  },

  save() {
    const { row, body_b64 } = detail.data;
    if (row.is_cut || !isDelivery(row)) return;
    openFixture(row, decode(body_b64));
  },
};

/** What came of a delivery that was sent, and a way to it. */
function sent({ row, outcome }, what) {
  const level = { good: "good", warning: "warning", bad: "bad" }[outcome.tone];
  const open = button(`Open #${row.id}`, () => {
    list.select(row.key, true);
    detail.focus();
  }, { class: "link" });
  return [el("span", { class: level }, `${what}: ${outcome.text}. `), open];
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    if (detail.said?.isConnected) detail.say("Copied.");
    else tell("Copied.");
  } catch {
    // Where the browser does not allow it, the text can be copied by hand.
    const area = el("textarea", { rows: "10", readonly: true, "aria-label": "The text", style: { width: "100%" } });
    area.value = text;
    openDialog("Copy the text", [area], []);
    area.select();
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Editor

function signOptions(hasOriginal) {
  const { secrets } = state;
  const options = [];
  if (secrets.length > 1) options.push(["all", "all client secrets, as Cronofy"]);
  secrets.forEach((label, index) => options.push([String(index), label]));
  if (hasOriginal) options.push(["keep", "the signature that came"]);
  options.push(["none", "no signature"]);
  return options.map(([value, text]) => el("option", { value }, text));
}

/** What was typed and not closed, by the delivery that is edited: selecting another one loses nothing. */
const drafts = new Map();

const signOf = (value) => (/^\d+$/.test(value) ? { secret: Number(value) } : value);

function openEditor({ of, title, uri, body }) {
  const path = el("input", { id: "edit-path", spellcheck: "false", autocomplete: "off" });
  const sign = el("select", { id: "edit-sign" }, signOptions(of !== null));
  const text = el("textarea", { id: "edit-body", spellcheck: "false", autocomplete: "off", "aria-describedby": "edit-problem" });
  const said = el("p", { class: "said", role: "status", id: "edit-problem" });
  const result = el("div", { class: "result", role: "region", "aria-label": "Result", "aria-live": "polite" }, note("What is answered is shown here."));
  const lineEnds = body.includes("\r") ? " Its line ends, CRLF, become LF." : "";
  path.value = uri;
  text.value = (of === null ? null : drafts.get(of)) ?? body;

  const check = () => {
    if (of !== null) drafts.set(of, text.value);
    const { error } = text.value.length > SCANNED ? {} : scan(text.value);
    text.setAttribute("aria-invalid", Boolean(error));
    const go = button("Go there", () => {
      text.focus();
      text.setSelectionRange(error.at, error.at + 1);
    }, { class: "link" });
    said.replaceChildren(...(error ? [el("span", { class: "bad" }, `Not JSON: ${problem(error)}. `), go] : [el("span", { class: "muted" }, "It is JSON.")]));
  };
  const send = async () => {
    result.replaceChildren(note("Sending…"));
    try {
      const data = await call("send", { of, uri: path.value, body: text.value, sign: signOf(sign.value) });
      result.replaceChildren(el("div", { class: `outcome ${data.outcome.tone}` }, data.outcome.text, data.outcome.hint ? el("small", {}, data.outcome.hint) : null), openSent(data), ...answerPanel(data));
    } catch (error) {
      result.replaceChildren(el("div", { class: "outcome bad" }, error.message));
    }
  };
  const format = () => {
    text.value = formatted(text.value);
    check();
  };

  const close = () => {
    drafts.delete(of);
    if (detail.data && of !== null) {
      detail.show(detail.data);
      detail.focus();
    } else {
      detail.isEditing = false;
      detail.key = null;
      detail.showNothing();
      list.element.focus();
    }
  };
  const editor = el(
    "form",
    { class: "editor", submit: (event) => (event.preventDefault(), send()) },
    el(
      "div",
      {},
      el("div", { class: "fields" }, el("label", { for: "edit-path" }, "Path", path), el("label", { for: "edit-sign" }, of === null ? "Sign with" : "Re-sign with", sign)),
      el("label", { for: "edit-body", class: "hidden" }, "Body"),
      text,
      said,
      el("div", { class: "buttons" }, el("button", { class: "primary", "aria-keyshortcuts": "Control+Enter" }, "Send", el("kbd", { "aria-hidden": "true" }, "Ctrl Enter")), button("Format", format), button("Close", close, { "data-close": true })),
    ),
    result,
  );
  editor.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  });
  text.addEventListener("input", check);
  detail.isEditing = true;
  detail.key = null;
  detail.element.dataset.nothing = "";
  detail.element.replaceChildren(button("← Back", back, { class: "back" }), el("h2", { tabindex: "-1", id: "title" }, title), el("p", { class: "about" }, of === null ? "It goes to the receiver." : `It goes to the receiver; the original stays as it is.${lineEnds}`), editor);
  check();
  view("detail");
  text.focus();
  text.setSelectionRange(0, 0);
}

function openSent({ row }) {
  return button(`Open #${row.id}`, () => {
    detail.isEditing = false;
    list.select(row.key, true);
    detail.focus();
  }, { class: "link" });
}

// ---------------------------------------------------------------------------------------------------------------------
// Dialogs

let dialogs = 0;

function openDialog(title, content, buttons, closeText = "Close") {
  const id = `dialog-${++dialogs}`;
  const dialog = el("dialog", { "aria-labelledby": id });
  const close = button(closeText, () => dialog.close());
  dialog.append(el("h2", { id }, title), ...content, el("div", { class: "buttons" }, close, ...buttons));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Kinds by family, `verification` first, with the channel and the path of what came last. */
async function openTrigger(name = "verification") {
  const samples = await call("samples");
  const families = byFamily(samples);
  const groups = [...families].map(([family, of]) => el("optgroup", { label: family[0].toUpperCase() + family.slice(1) }, of.map((sample) => el("option", { value: sample.name }, sample.name))));
  const kind = el("select", { id: "trigger-kind", size: "12" }, groups);
  const path = el("input", { id: "trigger-path", spellcheck: "false", autocomplete: "off" });
  const channel = el("input", { id: "trigger-channel", spellcheck: "false", autocomplete: "off", placeholder: "that of the sample" });
  const said = el("p", { class: "said", role: "status" });
  kind.value = name;
  path.value = lastPath();
  channel.value = rows.findLast((row) => row.channel)?.channel ?? "";
  const draft = async () => {
    const { body } = await call("sample", { name: kind.value, uri: path.value, channel: channel.value });
    return { of: null, uri: path.value, body };
  };
  const attempt = (f) => async () => {
    try {
      await f();
    } catch (error) {
      said.replaceChildren(el("span", { class: "bad" }, error.message));
    }
  };
  const send = attempt(async () => {
    said.replaceChildren("Sending…");
    await trigger(await draft());
    dialog.close();
    detail.focus();
  });
  const edit = attempt(async () => {
    const { body, ...rest } = await draft();
    dialog.close();
    openEditor({ ...rest, body: formatted(body), title: `Trigger ${kind.value}` });
  });
  const unsigned = state.secrets.length === 0 ? el("p", { class: "warning" }, "No client secret was given: it is sent without a signature.") : null;
  const sure = el("p", { class: "note" });
  const tell = () => (sure.textContent = PROVENANCE[samples.find((sample) => sample.name === kind.value)?.provenance] ?? "");
  kind.addEventListener("change", tell);
  tell();
  const dialog = openDialog(
    "Trigger a delivery",
    [el("label", { for: "trigger-kind" }, "Kind", kind), sure, el("label", { for: "trigger-path" }, "Path", path), el("label", { for: "trigger-channel" }, "Channel", channel), unsigned, said].filter(Boolean),
    [button("Edit first", edit), button("Send", send, { class: "primary" })],
    "Cancel",
  );
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing && event.target.tagName !== "BUTTON") {
      event.preventDefault();
      send();
    }
  });
  kind.focus();
}

const PROVENANCE = {
  documented: "Cronofy's documentation prints these fields.",
  type_documented: "Cronofy's documentation names this type; its fields are those of similar types.",
  reconstructed: "Put together from code that receives it: do not rely on a field.",
  synthetic: "Made up: a type that is not known yet.",
};

function byFamily(samples) {
  const families = new Map();
  for (const sample of samples) families.set(sample.family, [...(families.get(sample.family) ?? []), sample]);
  return families;
}

const lastPath = () => rows.findLast((row) => isDelivery(row) && row.uri.startsWith(state.prefix))?.uri ?? (state.prefix || "/");

/** Signs as Cronofy does, sends, and shows what came of it. */
async function trigger(draft) {
  const sign = state.secrets.length > 0 ? "all" : "none";
  const data = await call("send", { ...draft, sign });
  addRow(data.row);
  detail.selected = data.row.key;
  list.toTop();
  applyFilter();
  detail.show(data);
}

async function triggerVerification() {
  const uri = lastPath();
  const { body } = await call("sample", { name: "verification", uri, channel: "" });
  await trigger({ of: null, uri, body });
  detail.focus();
}

function openReplayAll() {
  const keys = shown.filter((row) => isDelivery(row) && !row.is_cut).map((row) => row.key);
  const said = el("p", { class: "said", role: "status" });
  const begin = async () => {
    try {
      await call("replay-all", { keys, confirmed: keys.length });
      dialog.close();
    } catch (error) {
      said.replaceChildren(el("span", { class: "bad" }, error.message));
    }
  };
  const what = `${plural(keys.length, "delivery is", "deliveries are")} sent to ${state.to} again, as ${keys.length === 1 ? "it" : "they"} came: one after the other, the oldest first.`;
  const left = shown.length - keys.length;
  const rest = left > 0 ? el("p", { class: "note" }, `${plural(left, "row is", "rows are")} left out: not deliveries, or not kept whole.`) : null;
  const dialog = openDialog("Replay what is shown", [el("p", {}, what), rest, said].filter(Boolean), [button(`Replay ${count(keys.length)}`, begin, { class: "primary" })], "Cancel");
}

function showProgress({ is_running, is_stopping, total, sent, delivered }) {
  const wasRunning = !$("progress").hidden;
  $("progress").hidden = !is_running;
  $("progress-bar").max = total || 1;
  $("progress-bar").value = sent;
  $("progress-text").textContent = `${count(sent)} of ${count(total)} replayed, ${count(delivered)} delivered`;
  $("stop").disabled = is_stopping;
  if (wasRunning && !is_running) announce(`${count(sent)} of ${count(total)} replayed, ${count(delivered)} delivered`);
}

/** A test in Rust that uses the file. */
function fixtureTest(row, name) {
  const controls = (text) => text.replace(/\\u([0-9a-f]{4})/g, "\\u{$1}").replace("\\b", "\\u{8}").replace("\\f", "\\u{c}");
  return `use cronofy_webhook_testing::Sender;

#[test]
fn ${name.replace(/-/g, "_").toLowerCase()}() {
    let body = include_bytes!("${name}.json");
    let delivery = Sender::new("CRN_test").delivery(&body[..]);
    assert_eq!(delivery.notification().kind(), ${controls(JSON.stringify(row.kind))});
}
`;
}

/** The browser saves the file: no program writes one because a page says so. */
function openFixture(row, bytes) {
  const kind = /^[a-z]\w*$/i.test(row.kind) ? row.kind.slice(0, 60) : "delivery";
  const name = `${kind}-${row.id}`;
  const test = fixtureTest(row, name);
  const save = () => {
    const url = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
    el("a", { href: url, download: `${name}.json` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  openDialog(
    "Save as fixture",
    [el("p", {}, `The body, byte for byte: ${plural(bytes.length, "byte", "bytes")}.`), el("p", { class: "note" }, "A Rust test that uses it:"), el("pre", { class: "code" }, test)],
    [button("Copy the test", () => copyText(test)), button(`Save ${name}.json`, save, { class: "primary" })],
  );
}

const KEYS = [
  ["j, ↓", "the next delivery"],
  ["k, ↑", "the one before"],
  ["Enter", "opens it"],
  ["r", "replays it"],
  ["e", "edits it"],
  ["c", "copies it as curl"],
  ["s", "saves it as a fixture"],
  ["/", "searches"],
  ["?", "this help"],
  ["Escape", "back, or closes"],
  ["Ctrl Enter", "sends what was edited"],
];

function openHelp() {
  const box = el("input", { type: "checkbox", id: "letters", change: () => localStorage.setItem("letters", box.checked ? "on" : "off") });
  box.checked = hasLetters();
  openDialog("Keys", [
    el("dl", { class: "keys" }, KEYS.flatMap(([key, text]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, text)])),
    el("label", { class: "check", for: "letters" }, box, "Single letters act"),
    el("p", { class: "note" }, "They act while the list or the detail has the focus, and never in a field."),
    el("p", { class: "note" }, `cronofy-webhook ${state.version}`),
  ], []);
}

// ---------------------------------------------------------------------------------------------------------------------
// Keys

const hasLetters = () => localStorage.getItem("letters") !== "off";

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.isComposing || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]")) return;
  const isField = target.matches("input, textarea, select, [contenteditable]");
  if (key === "Escape" && (isField || detail.element.contains(target))) {
    event.preventDefault();
    return back();
  }
  if (isField) return;
  const inList = list.element.contains(target);
  if (inList && LIST_KEYS[key]) {
    event.preventDefault();
    return LIST_KEYS[key]();
  }
  if (!hasLetters() || !(inList || detail.element.contains(target))) return;
  const act = LETTERS[key];
  if (!act) return;
  event.preventDefault();
  act();
});

const page = () => Math.max(Math.floor(list.element.clientHeight / list.rowHeight()) - 1, 1);

const LIST_KEYS = {
  ArrowDown: () => list.move(1),
  ArrowUp: () => list.move(-1),
  PageDown: () => list.move(page()),
  PageUp: () => list.move(-page()),
  Home: () => list.move(-shown.length),
  End: () => list.move(shown.length),
  Enter: async () => {
    if (detail.selected === null) list.move(0);
    if (detail.selected === null) return;
    await detail.open(detail.selected);
    detail.focus();
  },
};

/** Acts on the delivery that is shown, or on the one that is selected. */
const withDetail = (act) => async () => {
  if (detail.isEditing || detail.selected === null) return;
  if (detail.key !== detail.selected) await detail.open(detail.selected);
  if (detail.key !== null) act();
};

const LETTERS = {
  j: () => list.move(1),
  k: () => list.move(-1),
  r: withDetail(() => actions.replay()),
  e: withDetail(() => actions.edit()),
  c: withDetail(() => actions.copy()),
  s: withDetail(() => actions.save()),
  "/": () => {
    view("list");
    form.elements.text.focus();
  },
  "?": () => openHelp(),
};

// ---------------------------------------------------------------------------------------------------------------------
// Top bar and first steps

let state = { to: "", url: "", prefix: "", listens: false, secrets: [], public_url: null, tunnels: [], channel_command: null, recording: null, version: "" };

async function readState() {
  state = await call("state");
  showFacts();
  firstSteps.show();
}

function showFacts() {
  const { secrets, recording } = state;
  const answers = state.listens ? ["● answers", "good"] : ["● does not answer", "bad"];
  const facts = [
    ["To", state.to, answers],
    ["Secret", secrets.length === 0 ? "" : secrets.length === 1 ? secrets[0] : `${secrets.length} client secrets`, secrets.length === 0 ? ["none: unchecked", "warning"] : null],
    ["Tunnel", state.public_url ?? "not seen yet", null],
    ["Record", recording ? recording.path : "off", recording && !recording.is_written ? ["ended", "bad"] : null],
    ["Stream", "", stream.isLive ? ["● live", "good"] : ["○ lost", "bad"]],
  ];
  const items = facts.map(([name, value, mark]) =>
    el("li", {}, el("span", { class: "name" }, name), value ? el("span", { class: "value", title: value }, value) : null, mark ? el("span", { class: mark[1] }, mark[0]) : null),
  );
  // What does not change is not replaced: a screen reader may be at it.
  const before = [...$("facts").children].map((item) => item.textContent + item.lastChild.className).join();
  if (before !== items.map((item) => item.textContent + item.lastChild.className).join()) $("facts").replaceChildren(...items);
}

/** What the first delivery needs. */
const firstSteps = {
  element: el("ol", { class: "steps" }),
  shownFor: null,

  show() {
    const shownFor = JSON.stringify(state);
    if (this.shownFor === shownFor) return;
    this.shownFor = shownFor;
    const { secrets, channel_command } = state;
    const hasSecret = secrets.length > 0;
    this.element.replaceChildren(
      this.step(hasSecret, "Client secret", hasSecret ? `Signatures are checked with ${secrets.join(", ")}.` : "None: signatures are not checked, and nothing is signed. Start listen again with it:", hasSecret ? [] : ["export CRONOFY_CLIENT_SECRET=CRN_…"]),
      this.step(state.listens, "Receiver", state.listens ? `A connection to ${state.to} can be made.` : `Nothing listens at ${state.to}: start the receiver.`),
      this.step(null, "Trigger a verification", "It is signed as by Cronofy, and sent to the receiver. No tunnel is needed.", [], button("Trigger a verification", () => triggerVerification().catch((error) => tell(error.message)), { class: "primary" })),
      this.step(state.public_url ? true : null, "Tunnel", state.public_url ? `Seen: ${state.public_url}` : "One of these makes listen public, but not this page:", state.public_url ? [] : state.tunnels),
      this.step(null, "Channel", channel_command ? "This creates it, at the API host of your data centre:" : "The command that creates it is shown here once a request has come through the tunnel, or with --public-url.", channel_command ? [channel_command] : []),
      this.step(null, "Cronofy's dashboard", "Under the application, at an active channel, “Trigger Push Notifications” has a button for each kind."),
    );
  },

  step(isDone, title, text, commands = [], more = null) {
    const state = isDone === null ? null : isDone ? "done" : "open";
    return el("li", { class: state }, el("strong", {}, title, state === "done" ? el("span", { class: "hidden" }, " (done)") : null), text, commands.map(copyable), more && el("div", { class: "command" }, more));
  },
};

const copyable = (text) => el("div", { class: "command" }, el("code", {}, text), button("Copy", () => copyText(text), { "aria-label": `Copy: ${text.slice(0, 40)}` }));

// ---------------------------------------------------------------------------------------------------------------------
// What a screen reader is told: one summary in five seconds at most

let arrivals = 0;
let latest = null;
let messages = [];
let toldAt = -Infinity;
let timer = null;

function announceRow(row) {
  if (!isDelivery(row)) return;
  arrivals += 1;
  latest = row;
  announceSoon();
}

function announce(text) {
  messages.push(text);
  announceSoon();
}

function announceSoon() {
  timer ??= setTimeout(() => {
    timer = null;
    toldAt = performance.now();
    if (arrivals > 0) messages.push(`${plural(arrivals, "new delivery", "new deliveries")}, the last one ${latest.kind}, ${latest.status ?? "no answer"}`);
    $("live").textContent = messages.join(". ");
    arrivals = 0;
    messages = [];
  }, Math.max(toldAt + 5000 - performance.now(), 500));
}

/** What a click has led to, where it is not shown in another place. */
function tell(text) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  hideToast();
}

const hideToast = debounced(6000, () => ($("toast").hidden = true));

// ---------------------------------------------------------------------------------------------------------------------
// Start

$("trigger").addEventListener("click", () => openTrigger().catch((error) => tell(error.message)));
$("help").addEventListener("click", openHelp);
$("replay-all").addEventListener("click", openReplayAll);
$("stop").addEventListener("click", () => call("stop", {}).catch((error) => tell(error.message)));

async function start() {
  takeToken();
  takeFilter();
  if (!token) return lock("open the link that listen printed");
  unlock();
  await readState().catch(() => {});
  if (!document.hidden) stream.open();
}

setInterval(() => {
  if (!isLocked && !document.hidden && token) readState().catch(() => {});
}, 5000);

// The link of another run, opened in this tab, changes the fragment only.
addEventListener("hashchange", () => {
  if (takeToken()) start();
  else {
    takeFilter();
    search().catch(() => {});
  }
});

start();
