// Without a mouse, and without motion.
"use strict";
const assert = require("node:assert/strict");
const { RUNS, becomes, until, view } = require("./harness.cjs");

/** Stops of the Tab key between two that are looked for. */
const MOST = 150;

/** What has the focus, in words; with `hidden` where a person could not see that. */
const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    const name = element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent ?? "";
    const isMarked = (one) => {
      if (!one) return false;
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one);
      return (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none";
    };
    const near = [element, element.nextElementSibling, element.parentElement, element.closest(".editor"), element.closest("label")];
    return { tag: element.tagName.toLowerCase(), type: element.type ?? "", name: name.trim().slice(0, 80), isSeen: element === document.body || element.id === "main" || near.some(isMarked) };
  });

async function keyboard(bench, page) {
  const press = (key) => page.keyboard.press(key);
  /** Tab until something has the focus; every stop on the way can be seen. */
  const to = async (what, is) => {
    for (let count = 0; count < MOST; count += 1) {
      await press("Tab");
      const one = await focused(page);
      assert.ok(one.isSeen, `the focus cannot be seen on ${one.tag} “${one.name}”`);
      if (is(one)) return one;
    }
    throw new Error(`not reached by Tab: ${what}`);
  };
  const named = (name, tag = "") => (one) => (name instanceof RegExp ? name.test(one.name) : one.name === name) && (tag === "" || one.tag === tag);
  const reach = async (name, tag) => to(name, named(name, tag));
  /** To the beginning, then to a view by its link. */
  const open = async (name) => {
    await page.evaluate(() => document.querySelector(".skip").focus());
    await reach(name, "a");
    await press("Enter");
    await page.waitForFunction((name) => document.title.startsWith(name) && document.querySelector("main h1:not(.visually-hidden)") !== null, name);
  };

  // The first stop leads past the header.
  await page.goto(`${bench.engine.origin}/#view=compare`);
  await page.reload();
  await page.locator(".compare .card").first().waitFor();
  await press("Tab");
  assert.equal((await focused(page)).name, "Skip to the content");
  await press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");

  // A study is written and started.
  await open("Change");
  await reach("Study file", "textarea");
  await press("Control+A");
  await page.keyboard.insertText('title = "By keys"\nmodels = ["left", "right"]\nseeds = 2\n[recipe]\nepochs = 2\ntraining_images = 4000\n[model.left]\nlayers = ["flatten", "dense 16", "rellu", "dense classes"]\n[model.right]\nlayers = ["flatten", "dense 8", "dense classes"]\n');
  await page.getByText("Line 8:").waitFor();
  await reach(/^Write/, "button");
  await press("Enter");
  await page.getByRole("heading", { name: "right", level: 2 }).waitFor();
  await open("Compare");
  await page.getByRole("button", { name: /^Start/ }).and(page.locator(":enabled")).waitFor();
  await reach(/^Runs of each model/, "input");
  await press("Control+A");
  await page.keyboard.type("1");
  await reach(/^Start/, "button");
  await press("Enter");
  await becomes(page, /^Finished$/);
  await until("two runs", async () => (await page.locator(".progress .meters dd").nth(1).innerText()) === "2 of 2", RUNS);
  await until("a verdict", async () => /left|right/.test(await page.locator(".claim").innerText()));

  // A digit by the arrow keys.
  await open("Draw");
  await page.getByText("The pad is empty").waitFor();
  await reach(/^Drawing pad/, "canvas");
  await press(" ");
  for (let count = 0; count < 18; count += 1) await press("ArrowDown");
  await press(" ");
  await page.locator(".answer").nth(1).waitFor();
  assert.match((await focused(page)).name, /1 stroke/);
  await press("Delete");
  await page.locator(".invitation").waitFor();

  // A layer, a unit of it.
  await open("Inside");
  await page.locator(".layers > .layer").first().waitFor();
  await reach(/dense 16/, "button");
  await press("Enter");
  await page.locator(".layer[data-open=true]").waitFor();
  await reach(/values of dense 16/, "div");
  await press("ArrowRight");
  await page.getByText(/^Unit 1 of 0–15:/).first().waitFor();

  // A cell of the matrix, an image of it, and back.
  await open("Errors");
  await page.getByRole("grid").waitFor();
  await reach(/^label 0: \d+ correct/, "button");
  await press("ArrowRight");
  await press("ArrowDown");
  await press("ArrowDown");
  assert.match((await focused(page)).name, /^label 2, answer 1/);
  await press("Enter");
  await page.getByText(/^Only images with label 2/).waitFor();
  await reach("Show all cells", "button");
  await press("Enter");
  await reach(/test image \d+, label/, "button");
  await press("Enter");
  await page.getByRole("dialog").getByRole("table").first().waitFor();
  await press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.match((await focused(page)).name, /test image \d+, label/);

  // A lesson's answer.
  await open("Lessons");
  await reach(/A rate too high|rate/i, "a");
  await press("Enter");
  await page.locator(".choice").first().waitFor();
  await to("an answer", (one) => one.type === "radio");
  await press(" ");
  await page.locator(".lesson").getByRole("button", { name: "Start" }).and(page.locator(":enabled")).waitFor();
}

/** Nothing moves for who wants that. */
async function still(page) {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.reload();
  for (const name of ["Compare", "Draw", "Inside", "Errors", "Change", "Lessons"]) {
    await view(page, name);
    if (name === "Inside") await page.locator(".layers > .layer").first().waitFor();
    const moving = await page.evaluate(() => document.getAnimations().map((one) => `${one.animationName ?? one.transitionProperty} of ${one.effect.target.className}`));
    assert.deepEqual(moving, [], name);
    const styled = await page.evaluate(() =>
      [...document.querySelectorAll("body *")].filter((element) => {
        const { animationName, transitionDuration } = getComputedStyle(element);
        return animationName !== "none" || transitionDuration.split(",").some((time) => Number.parseFloat(time) > 0);
      }).map((element) => `${element.tagName} ${element.className}`),
    );
    assert.deepEqual([...new Set(styled)], [], `${name}: what would move`);
    assert.equal(await page.getByRole("button", { name: /^(Play|Slide)/ }).count(), 0, name);
  }
  await page.emulateMedia({ reducedMotion: "no-preference" });
  await page.reload();
}

module.exports = { keyboard, still };
