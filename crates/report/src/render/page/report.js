// The report's only script. Headings sort their table; cells of a confusion matrix filter the images that go wrong.
// It makes every control itself: without it the page has none, and is whole. The page's policy runs this text and no other.
"use strict";
(() => {
  const make = (tag, attributes, act) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (act) made.addEventListener("click", act);
    return made;
  };
  const button = (attributes, act) => make("button", { type: "button", ...attributes }, act);

  // Tables.

  const collator = new Intl.Collator("en", { numeric: true });

  // The number that a cell begins with: of `98.67 +- 0.12 %` the mean, of an interval its lower end; none of a name.
  const numberIn = (cell) => {
    if (cell.querySelector(".chip, code")) return null;
    const text = cell.textContent.replaceAll("\u2212", "-").replace(/(\d)[,'\u00a0\u2009\u202f](?=\d{3}(?!\d))/g, "$1");
    const found = /^[^\w+-]*([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?!\w)/.exec(text);
    if (!found) return null;
    const value = Number(found[1]);
    // `< 0.001` comes before `0.001`.
    return text.startsWith("<") ? value - Math.abs(value) / 1e6 : value;
  };

  // What rows are sorted by: numbers, where most of what is known is one, or texts. What is missing is null.
  const keysOf = (cells) => {
    const texts = cells.map((cell) => cell.textContent.trim()).map((text) => (/^[\u2013-]?$/.test(text) ? null : text));
    const numbers = cells.map(numberIn);
    const known = (keys) => keys.filter((key) => key !== null).length;
    return 2 * known(numbers) > known(texts) ? numbers : texts;
  };

  const makeSortable = (headings, body) => {
    const rows = [...body.rows];
    const sort = (heading, column) => {
      const order = { ascending: "descending", descending: null }[heading.getAttribute("aria-sort") ?? ""];
      for (const other of headings) other.removeAttribute("aria-sort");
      if (order === null) return body.append(...rows);
      heading.setAttribute("aria-sort", order ?? "ascending");
      const sign = order ? -1 : 1;
      const keys = keysOf(rows.map((row) => row.cells[column]));
      const compare = (one, other) => {
        const [a, b] = [keys[one], keys[other]];
        if (a === null || b === null) return (a === null) - (b === null);
        return sign * (typeof a === "number" ? a - b : collator.compare(a, b));
      };
      body.append(...[...rows.keys()].sort(compare).map((place) => rows[place]));
    };
    headings.forEach((heading, column) => {
      const made = button({ class: "sort" }, () => sort(heading, column));
      if (heading.querySelector("a")) {
        // A link to the glossary stays one: the button stands behind it.
        made.setAttribute("aria-label", `Sort by ${heading.textContent}`);
        heading.append(" ", made);
      } else {
        made.append(...heading.childNodes);
        heading.append(made);
      }
    });
  };

  for (const { tHead, tBodies } of document.querySelectorAll("table:not(.matrix)")) {
    if (tHead && tBodies[0].rows.length > 1) makeSortable([...tHead.rows[0].cells], tBodies[0]);
  }

  // Confusion matrices.

  const kinds = document.querySelectorAll(".kind");
  const entries = [...document.querySelectorAll(".kind .digits > li")];
  if (!entries.length) return;
  const images = (of) => new Set(of.map((entry) => entry.dataset.image)).size;

  const bar = make("div", { class: "filter", role: "group", "aria-label": "Filter of the images", tabindex: -1 });
  const told = make("p", { role: "status" });
  const controls = make("p", { hidden: "" });
  let pressed = null;
  const filter = (cell, selector, words) => {
    pressed?.setAttribute("aria-pressed", false);
    cell?.setAttribute("aria-pressed", true);
    pressed = cell;
    for (const entry of entries) entry.hidden = !entry.matches(selector);
    for (const kind of kinds) {
      kind.hidden = cell && !kind.querySelector("li:not([hidden])");
      // How many images there are of this kind.
      kind.querySelector("p").hidden = !!cell;
    }
    controls.hidden = !cell;
    told.textContent = words;
  };
  const showAll = () => filter(null, "li", `All ${images(entries)} images shown.`);
  const all = button({}, () => {
    showAll();
    bar.focus();
  });
  const back = button({}, () => {
    pressed.scrollIntoView({ block: "center" });
    pressed.focus({ preventScroll: true });
  });
  all.append("Show all images");
  back.append("Back to the matrix");
  controls.append(all, " ", back);
  bar.append(told, controls);
  kinds[0].before(bar);

  const hint = make("span", { class: "screen" });
  hint.append(" Select a number to see its images in the error atlas.");
  document.querySelector(".matrices")?.previousElementSibling.append(hint);

  for (const matrix of document.querySelectorAll(".matrix")) {
    const { model, runs, more } = matrix.dataset;
    const name = matrix.caption.textContent;
    const classes = [...matrix.tHead.rows[0].cells].map((cell) => cell.title);
    const buttons = [...matrix.querySelectorAll("td[data-images]")].map((cell) => {
      const [label, given] = [cell.parentElement.sectionRowIndex, cell.cellIndex - 1];
      const selector = `[data-label="${label}"][data-answers~="${model}:${given}"]`;
      const error = `label ${classes[label + 1]}, ${name} answered ${classes[given + 1]}`;
      const made = button({ "aria-label": `${cell.textContent}: ${error}`, "aria-pressed": false }, () => {
        if (pressed === made) return showAll();
        const shown = images(entries.filter((entry) => entry.matches(selector)));
        const known = Number(cell.dataset.images);
        let words = `${shown} of ${images(entries)} images shown: ${error}`;
        words += runs > 1 ? ` in at least one of its ${runs} runs.` : ".";
        if (known > shown) words += ` ${known} ${known === 1 ? "image has" : "images have"} this label and answer. ${more}`;
        filter(made, selector, words);
        rove(made);
        bar.scrollIntoView();
        all.focus({ preventScroll: true });
      });
      made.append(...cell.childNodes);
      cell.append(made);
      return made;
    });
    // One stop of the tab key: arrows lead on from there, past cells without an error.
    const rove = (to) => buttons.forEach((one) => (one.tabIndex = one === to ? 0 : -1));
    rove(buttons[0]);
    matrix.setAttribute("role", "grid");
    matrix.addEventListener("keydown", (event) => {
      const at = event.target.closest("td");
      if (!at || event.altKey || event.metaKey) return;
      const row = buttons.filter((one) => one.closest("tr") === at.parentElement);
      const column = buttons.filter((one) => one.parentElement.cellIndex === at.cellIndex);
      const ends = event.ctrlKey ? buttons : row;
      const beside = (line, step) => line[line.indexOf(event.target) + step] ?? event.target;
      const to = {
        ArrowLeft: beside(row, -1),
        ArrowRight: beside(row, 1),
        ArrowUp: beside(column, -1),
        ArrowDown: beside(column, 1),
        Home: ends[0],
        End: ends.at(-1),
      }[event.key];
      if (!to) return;
      event.preventDefault();
      rove(to);
      to.focus();
    });
  }
})();
