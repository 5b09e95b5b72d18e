// Change: layers as text, a mistake and its mend, files and links.
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const { STUDY, until, view } = require("./harness.cjs");

async function change(bench, page) {
  await view(page, "Change");
  const editor = page.getByRole("textbox", { name: "Study file" });
  const note = page.locator("#editor-problem");

  // A layer is misspelt: the line says so, and the mend is applied.
  const wrong = STUDY.replace('"dense 32", "relu"', '"dense 32", "rellu"');
  const line = wrong.split("\n").findIndex((line) => line.includes("rellu")) + 1;
  await editor.fill(wrong);
  await note.getByText(`Line ${line}:`).waitFor();
  assert.match(await note.innerText(), /relu/);
  assert.ok(await page.getByRole("button", { name: "Start", exact: true }).isDisabled());
  await note.getByRole("button", { name: /^Write/ }).click();
  await page.getByRole("heading", { name: "plain", level: 2 }).waitFor();
  assert.equal(await editor.inputValue(), STUDY);
  assert.equal(await note.innerText(), "");

  // Shapes, parameters and multiply-adds follow a layer that is edited.
  assert.equal(await page.getByRole("cell", { name: "25,120", exact: true }).count(), 1, "parameters of dense 32");
  await editor.fill(STUDY.replace('"dense 32"', '"dense 40"'));
  await page.getByRole("cell", { name: "31,400", exact: true }).first().waitFor();
  await page.getByRole("button", { name: "conv 6 3x3 stride 2" }).click();
  assert.equal(await editor.evaluate((area) => area.value.slice(0, area.selectionStart).split("\n").length), line - 4, "a layer leads to its line");

  // Text that is no study at all, and a built-in model to begin with.
  await editor.fill("models = [");
  await note.getByText(/Line 1/).waitFor();
  assert.ok((await page.locator(".change .stale").count()) === 1);
  await editor.fill(STUDY);
  await note.getByText(/./).waitFor({ state: "hidden" });
  await page.getByLabel("Built-in model").selectOption("cnn");
  await page.getByRole("button", { name: "Insert to edit" }).click();
  await page.getByRole("heading", { name: "my-cnn", level: 2 }).waitFor();

  // Opened from a file, saved as one, and in the address: a link is a study.
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.getByRole("button", { name: "Open a file…" }).click()]);
  await chooser.setFiles({ name: "study.toml", mimeType: "application/toml", buffer: Buffer.from(STUDY) });
  await until("the file's text", async () => (await editor.inputValue()) === STUDY);
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save as TOML" }).click()]);
  assert.equal(file.suggestedFilename(), "three-small-networks.toml");
  assert.equal(fs.readFileSync(await file.path(), "utf8"), STUDY);
  await page.waitForFunction(() => location.hash.includes("study="));
  await page.waitForTimeout(400);
  const link = page.url();
  await page.reload();
  await until("the text after a reload", async () => (await editor.inputValue()) === STUDY);
  const beside = await bench.context.newPage();
  await beside.goto(link);
  await until("the text of a link", async () => (await beside.getByRole("textbox", { name: "Study file" }).inputValue()) === STUDY);
  await beside.close();
}

module.exports = { change };
