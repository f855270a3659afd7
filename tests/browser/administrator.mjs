// From forecast to signed letter, as two administrators go: a year's applications called for and ended, the plan
// proposed from inputs whose forecast was seen, an objection answered by the one who did not propose. Members and
// parties speak by command, as they must; nothing else is done outside the pages.
//
//   node administrator.mjs      on standard input {site, pictures, demo, coordinator, node, hospitals, year, accounts: [{name, password}, …]}
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { open, signIn } from "./browser.mjs";
import { Walk, command, follow, given, send, warned } from "./walk.mjs";

const { site, pictures, demo, coordinator, node, hospitals, year, accounts } = given();
const walk = new Walk(pictures, "administrator-");
const alliance = (...words) => command(coordinator, "--data", join(demo, "coordinator"), ...words);
const member = (name, ...words) => command(node, "--data", join(demo, name), "year", ...words);
const PARTIES = ["insurer", "committee", "lead-hospital", "members", "grassroots", "patients"];
const SIGNERS = PARTIES.filter((one) => one !== "committee");
const [proposer, judge] = accounts;
const at = `/years/${year}`;
const saying = (word) => `form[action='${at}/say']:has(input[name=word][value=${word}])`;

// The year is opened with the parties' own keys, which stay with them.
function begin(keys) {
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  const parties = PARTIES.flatMap((one) => ["--party", `${one}=${alliance("year", "key", join(keys, `${one}.pk8`)).trim()}`]);
  alliance("year", "open", year, "--target", "1200000000.00", "--as", proposer.name, ...parties, "--member", hospitals.join());
  const folder = join(demo, "coordinator", "inputs");
  mkdirSync(folder, { recursive: true });
  inputs(keys, join(folder, `plan-${year}.json`));
}

// The plan's inputs as `year inputs` makes them: the history that the forecast goes by, and a table of facts. What the
// command says was paid since the demo's table was written is added to that table.
function inputs(folder, out) {
  const facts = readFileSync(join(demo, "year", "facts.csv"), "utf8").trim().split("\n");
  const [figures] = readdirSync(join(demo, "benchmark")).filter((one) => one.endsWith(".json") && !one.includes("inputs")).map((one) => join(demo, "benchmark", one));
  const make = (rows) => {
    const table = join(folder, "facts.csv");
    writeFileSync(table, `${rows.join("\n")}\n`);
    return warned(coordinator, "--data", join(demo, "coordinator"), "year", "inputs", year, "--facts", table, "--history", join(demo, "year", "history.csv"), "--benchmark", figures, "--controls", figures, "--out", out);
  };
  const paid = new Map([...make(facts).matchAll(/`before` of (\S+) ends .*? (\d+\.\d\d) was paid/g)].map(([, name, fen]) => [name, fen]));
  const place = facts[0].split(",").indexOf("before");
  make(facts.map((row) => {
    const cells = row.split(",");
    const fen = paid.get(cells[0]);
    if (fen) cells[place] = `${cells[place].split(";").slice(1).join(";")};${fen}`;
    return cells.join(",");
  }));
}

// What the plan's inputs let expect is seen before it is proposed; gives the result's digest.
async function propose(visit) {
  const { page } = visit;
  await page.goto(`${site}${at}/propose`, { waitUntil: "load" });
  await page.select("select[name=file]", `plan-${year}.json`);
  await follow(page, () => page.click(`form[method=get][action='${at}/propose'] button`));
  for (const table of ["forecast", "split"]) {
    const rows = await page.$$eval(`#${table} tbody tr`, (all) => all.length);
    if (rows !== hospitals.length) throw new Error(`${rows} rows of ${table}`);
  }
  await walk.look(visit, "forecast");
  const form = `form[method=post][action='${at}/propose']`;
  const digest = await page.$eval(`${form} input[name=seen]`, (one) => one.value);
  await send(page, form, { password: "not the password" }, `${at}/propose?refused=password`);
  await page.goto(`${site}${at}/propose?file=plan-${year}.json`, { waitUntil: "load" });
  await send(page, form, { password: proposer.password, why: "2025" }, `${at}?done=propose`);
  await walk.look(visit, "proposed");
  return digest;
}

const browser = await open();
try {
  const keys = join(demo, `walk-${year}`);
  begin(keys);
  const first = await signIn(browser, site, proposer, "en");
  await first.page.goto(`${site}${at}`, { waitUntil: "load" });
  await walk.look(first, "opened");
  await send(first.page, saying("invite"), { password: proposer.password }, `${at}?done=invite`);
  for (const name of hospitals) member(name, "apply", year, "250000000.00", "--purpose", "care", "--expected", "2 %");
  await walk.look(first, "applied");
  await send(first.page, saying("review"), { password: proposer.password }, `${at}?done=review`);
  const digest = await propose(first);
  const [objecting, ...others] = hospitals;
  member(objecting, "object", year, "plan", digest, "--why", "GB/T 2260");
  for (const name of others) member(name, "accept", year, "plan", digest);

  const answer = { upheld: "no", why: "GB/T 2260-2007" };
  await first.page.goto(`${site}${at}`, { waitUntil: "load" });
  await send(first.page, saying("answer"), { ...answer, password: proposer.password }, `${at}?refused=own`);
  await walk.look(first, "own-plan");
  const second = await signIn(browser, site, judge, "zh-CN");
  await second.page.goto(`${site}${at}`, { waitUntil: "load" });
  await walk.look(second, "objection");
  await send(second.page, saying("answer"), { ...answer, password: judge.password }, `${at}?done=answer`);
  await walk.look(second, "answered");

  // No button signs for a party: each has its own key, and the page names the command.
  if (await second.page.$(`${saying("sign")}, select[name=by]`)) throw new Error("a page signs for a party");
  for (const one of SIGNERS) {
    const told = await second.page.$eval("main", (main) => main.innerText);
    if (!told.includes(`sign plan ${digest}`)) throw new Error("the page does not name the command of who has to sign");
    alliance("year", "say", year, "--as", one, "--key", join(keys, `${one}.pk8`), "sign", "plan", digest);
    await second.page.goto(`${site}${at}`, { waitUntil: "load" });
  }
  await walk.look(second, "in-force");
  await second.page.goto(`${site}${at}/plan`, { waitUntil: "load" });
  await walk.look(second, "plan");
  await second.page.goto(`${site}${at}`, { waitUntil: "load" });
  await follow(second.page, () => second.page.click(`main a[href='${at}/letter']`));
  const letter = await second.page.$eval("body", (body) => body.innerText);
  for (const name of hospitals) if (!letter.includes(name)) throw new Error(`the letter does not name ${name}`);
  if (!letter.includes(digest)) throw new Error("the letter does not bear the digest of what was signed");
  await walk.look(second, "letter");
  await second.page.pdf({ path: join(pictures, "administrator-letter.pdf"), format: "A4" });
} finally {
  await browser.close();
}
walk.end("from forecast to signed letter");
