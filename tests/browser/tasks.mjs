// What people come for, done as they would do it.
import { join } from "node:path";
import { signIn } from "./browser.mjs";
import { accessible, inspect } from "./look.mjs";
import { follow } from "./walk.mjs";

const path = (page) => new URL(page.url()).pathname;

// The link in the page's own part that leads to an address.
const press = (page, to) => follow(page, () => page.click(`main a[href="${to}"]`));

// An administrator asks the hospitals a question and watches their answers come in.
async function compose(site, { page, notes }, language, look) {
  await page.goto(`${site}/rounds`, { waitUntil: "load" });
  await press(page, "/rounds/new");
  await page.select("select[name=template]", "monthly-benchmark");
  // The same year's months are one series: no allowance is spent twice.
  await page.type("input[name=period]", language === "en" ? "2024-11" : "2024-10");
  await page.select("select[name=hours]", "1");
  await follow(page, () => page.click("main form.fields button"));
  await look("composed");
  if (!(await page.$("#errors tbody tr")) || !(await page.$("#after tbody tr"))) throw new Error("no expected error or cost is shown before sending");
  await follow(page, () => page.click("form[method=post][action='/rounds/new'] button"));
  const round = path(page);
  if (!/^\/rounds\/r\d+-monthly-benchmark$/.test(round)) throw new Error(`sending led to ${round}`);
  // Without another click: the page is told of progress until the round has ended.
  await page.waitForSelector(`main a[href="${round}/benchmark"]`, { timeout: 90_000 });
  await look("answered");
  await press(page, `${round}/benchmark`);
  if (!(await page.$("#hospitals tbody tr"))) throw new Error("the round has no benchmark");
  if (notes.length) throw new Error(notes.join("; "));
  return `${round} composed, seen to be answered, and its benchmark read`;
}

// From the cockpit over the year's plan to what other rules would give, and to the signed letter.
async function budget(site, { page, notes }, look) {
  await page.goto(`${site}/`, { waitUntil: "load" });
  const year = await page.$eval("main .links a[href^='/years/']", (one) => one.getAttribute("href"));
  await press(page, year);
  await press(page, `${year}/plan`);
  await press(page, `${year}/workbench`);
  const before = await page.$$eval("#differences tbody tr", (rows) => rows.map((row) => row.cells[3].textContent));
  await follow(page, () => page.$eval("input[name=alpha]", (slider) => {
    slider.value = "0.3";
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    slider.dispatchEvent(new Event("change", { bubbles: true }));
  }));
  const rows = await page.$$eval("#differences tbody tr", (all) => all.map((row) => [...row.cells].map((cell) => cell.textContent)));
  if (rows.every((row, place) => row[3] === before[place])) throw new Error("sliding changed nothing");
  const fen = (text) => BigInt(text.replace("\u2212", "-").replaceAll(/[,.]/g, ""));
  if (rows.reduce((sum, row) => sum + fen(row[6]), 0n) !== 0n) throw new Error("the differences do not add up to nothing");
  await look("workbench-slid");
  await page.goto(site + year, { waitUntil: "load" });
  await press(page, `${year}/letter`);
  if (notes.length) throw new Error(notes.join("; "));
  return `${year}: plan, workbench, letter; differences add up to nothing to the fen`;
}

// A table as files; the log checked by a button.
async function files(site, { page }) {
  await page.goto(`${site}/`, { waitUntil: "load" });
  const kinds = await page.evaluate(async () => {
    const links = [...document.querySelectorAll(".csv a")].slice(0, 4);
    return Promise.all(links.map(async (link) => {
      const answer = await fetch(link.href);
      const bytes = new Uint8Array(await answer.arrayBuffer());
      return `${answer.status} ${answer.headers.get("content-disposition")} ${String.fromCharCode(...bytes.slice(0, 2))}`;
    }));
  });
  if (kinds.length < 2 || kinds.some((one) => !/^200 attachment; filename="[\w-]+\.(csv" .*|xlsx" PK)$/.test(one))) throw new Error(`downloads: ${kinds.join("; ")}`);
  await page.goto(`${site}/log`, { waitUntil: "load" });
  await follow(page, () => page.click("main form[action='/log/verify'] button"));
  if (!(await page.$(".note.good"))) throw new Error("the log was not found sound");
  return "tables as CSV and XLSX, the log verified";
}

// An auditor reads and composes nothing.
async function auditor(site, { page }) {
  await page.goto(`${site}/rounds`, { waitUntil: "load" });
  if (await page.$("main a[href='/rounds/new']")) throw new Error("an auditor is led to composing");
  for (const place of ["/rounds/new", "/accounts"]) {
    const answer = await page.goto(site + place, { waitUntil: "load" });
    if (answer.status() !== 403) throw new Error(`${place} for an auditor: ${answer.status()}`);
  }
  return "an auditor composes nothing";
}

// Markup in what is asked stays text; a page of elsewhere can neither frame nor act for who is signed in.
async function hostile(site, { context, page, notes }) {
  let dialogs = 0;
  page.on("dialog", (dialog) => { dialogs += 1; dialog.dismiss(); });
  const evil = encodeURIComponent("\"'><img src=x onerror=alert(1)><script>alert(2)</script>");
  await page.goto(`${site}/rounds`, { waitUntil: "load" });
  const closed = await page.$eval("#rounds .good", (one) => one.closest("tr").querySelector("a").getAttribute("href"));
  for (const place of [`${closed}/benchmark?q=${evil}`, `/rounds/new?template=${evil}&period=${evil}`, `/log?until=${evil}`]) {
    await page.goto(site + place, { waitUntil: "load" });
    if (await page.$("main img, main script")) throw new Error(`markup came through at ${place}`);
  }
  if (dialogs || notes.length) throw new Error(`${dialogs} dialogs; ${notes.join("; ")}`);
  const other = await context.newPage();
  const form = `<form method=post action="${site}/sign-out"><input name=token value=x></form><iframe src="${site}/"></iframe>`;
  await other.goto(`data:text/html,${encodeURIComponent(form)}`);
  const framed = other.frames().slice(1).some((frame) => frame.url().startsWith(site));
  if (framed) throw new Error("a page of elsewhere frames the site");
  await follow(other, () => other.$eval("form", (one) => one.submit()));
  await page.goto(`${site}/`, { waitUntil: "load" });
  if (path(page) !== "/") throw new Error("a form of elsewhere signed somebody out");
  return "markup stays text, nothing is framed, a form of elsewhere does nothing";
}

export async function tasks(browser, site, accounts, folder, fault) {
  const done = [];
  const attempt = async (name, of) => {
    try { done.push(await of()); } catch (error) { fault(name, error.message); }
  };
  for (const language of ["en", "zh-CN"]) {
    const visitor = await signIn(browser, site, accounts.administrator, language);
    await visitor.page.setViewport({ width: 1366, height: 768 });
    const look = async (name) => {
      await visitor.page.screenshot({ path: join(folder, `${name}.${language}.desk.png`), fullPage: true });
      for (const what of [...await inspect(visitor.page, language), ...await accessible(visitor.page)]) fault(`${name} (${language})`, what);
    };
    await attempt("compose", () => compose(site, visitor, language, look));
    await attempt("budget", () => budget(site, visitor, look));
    await attempt("files", () => files(site, visitor));
    if (language === "en") await attempt("hostile", () => hostile(site, visitor));
    await visitor.context.close();
  }
  const visitor = await signIn(browser, site, accounts.auditor, "en");
  await attempt("auditor", () => auditor(site, visitor));
  await visitor.context.close();
  return done;
}
