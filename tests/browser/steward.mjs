// From inbox to refusal, as a hospital's steward goes: the round that waits is read, not refused without password or
// reason, refused, found again among what was decided and in the log. The alliance hears that it was declined.
//
//   node steward.mjs      on standard input {site, pictures, coordinator, alliance, hospital, round, account: {name, password}}
import { open, signIn } from "./browser.mjs";
import { Walk, command, follow, given, send } from "./walk.mjs";

const { site, pictures, coordinator, alliance, hospital, round, account } = given();
const walk = new Walk(pictures, "steward-");
const REASON = "GB/T 35273";

const browser = await open();
try {
  const visit = await signIn(browser, site, account, "en");
  const { page } = visit;
  await page.goto(`${site}/`, { waitUntil: "load" });
  await walk.look(visit, "overview");
  // The node asks for rounds by itself; the page shows one as soon as it came.
  let letter = null;
  for (let tries = 0; letter === null && tries < 60; tries += 1) {
    await page.goto(`${site}/inbox`, { waitUntil: "load" });
    letter = await page.$$eval("#waiting tbody a", (all, id) => all.find((one) => one.textContent === id)?.getAttribute("href") ?? null, round);
    if (letter === null) await new Promise((ready) => setTimeout(ready, 1000));
  }
  if (letter === null) throw new Error(`${round} does not come to the inbox`);
  await walk.look(visit, "inbox");
  await page.goto(`${site}/inbox`, { waitUntil: "load" });
  await follow(page, () => page.click(`#waiting a[href='${letter}']`));
  for (const part of ["#price tbody tr"]) if (!(await page.$(part))) throw new Error(`the round's page has no ${part}`);
  await walk.look(visit, "round");
  const form = `form[action='${letter}/refuse']`;
  await send(page, form, { reason: REASON, password: "not the password" }, `${letter}?refused=password`);
  await walk.look(visit, "wrong-password");
  await send(page, form, { reason: " ", password: account.password }, `${letter}?refused=reason`);
  await send(page, form, { reason: REASON, password: account.password }, `${letter}?done=refuse`);
  if (await page.$("main form[method=post]")) throw new Error("something is left to decide about a refused round");
  await walk.look(visit, "refused");
  await page.goto(`${site}/inbox?lang=en`, { waitUntil: "load" });
  const decided = await page.$$eval("#decided tbody tr", (all, id) => all.filter((row) => row.innerText.includes(id)).map((row) => row.innerText), round);
  if (decided.length !== 1 || !decided[0].includes("refused")) throw new Error(`decided: ${decided.join("; ")}`);
  await walk.look(visit, "inbox-after");
  await page.goto(`${site}/log`, { waitUntil: "load" });
  const logged = await page.$eval("main", (main) => main.innerText);
  if (logged.includes(REASON)) throw new Error("the reason stands in the log; it is the hospital's own");
  await walk.look(visit, "log");
  await page.goto(`${site}/ledger`, { waitUntil: "load" });
  await walk.look(visit, "ledger");
  let told = "";
  for (let tries = 0; tries < 30; tries += 1) {
    const shown = JSON.parse(command(coordinator, "--data", alliance, "round", "show", round, "--json"));
    told = JSON.stringify(shown);
    if (/declined/.test(told)) break;
    await new Promise((ready) => setTimeout(ready, 1000));
  }
  if (!told.includes("declined")) throw new Error(`the alliance does not hear that ${hospital} declined: ${told}`);
  if (told.includes(REASON)) throw new Error("the alliance was told why");
} finally {
  await browser.close();
}
walk.end("from inbox to refusal");
