// From list to evidence pack, as an insurer's auditor goes on the insurer's own pages: an audit begun, the paid list
// and the hospital's book brought, matched, totalled, sampled, reported; the pack is fetched and believed by the
// command. What the hospital and its officers do in between, they do by command.
//
//   node insurer.mjs      on standard input {site, pictures, demo, home, root, coordinator, node, mapping, month, account: {name, password}}
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { open, signIn } from "./browser.mjs";
import { Walk, command, follow, given, send } from "./walk.mjs";

const { site, pictures, demo, home, root, coordinator, node, mapping, month, account } = given();
const walk = new Walk(pictures, "insurer-");
const hospital = (...words) => command(node, "--data", home, ...words);
const [PAYER, INSURANCE] = ["i02", "resident"];
const name = `h01-${month}`;
const at = `/audits/${name}`;
const bytes = (fen) => fen.replace(".", "").replace(/^0+(?=\d)/, "");

// What the insurer paid, and the hospital's settlements of which one has another amount and one is missing.
function lists(folder) {
  const [head, ...rows] = readFileSync(join(demo, "files", "h01.csv"), "utf8").trim().split("\n");
  const place = (column) => {
    const found = head.trim().split(",").indexOf(column);
    if (found < 0) throw new Error(`h01.csv has no column ${column}`);
    return found;
  };
  const [number, day, insurance, amount, group] = ["settlement_no", "discharge_date", "insurance", "fund_paid", "drg"].map(place);
  const paid = [];
  const listed = [head];
  for (const line of rows) {
    const row = line.trim().split(",");
    const is = row[insurance] === INSURANCE && row[day]?.startsWith(month) && /^\d+\.\d\d$/.test(row[amount]);
    if (!is) { listed.push(line); continue; }
    paid.push(`${row[number]},${bytes(row[amount])},${row[group]}`);
    if (paid.length === 2) continue;
    if (paid.length === 4) row[amount] = `${Number(row[amount].split(".")[0]) + 1}.${row[amount].split(".")[1]}`;
    listed.push(row.join(","));
    if (paid.length === 6) listed.push(row.map((cell, at) => (at === number ? "PHANTOM-0001" : cell)).join(","));
  }
  if (paid.length < 6) throw new Error(`only ${paid.length} settlements of ${INSURANCE} in ${month}`);
  const [list, settlements] = [join(folder, "paid.csv"), join(folder, "settlements.csv")];
  writeFileSync(list, `settlement,fen,group\n${paid.join("\n")}\n`);
  writeFileSync(settlements, `${listed.join("\n")}\n`);
  return { list, settlements };
}

// Presses the button of a step and waits until the page no longer asks again by itself; what it says then.
async function step(visit, word) {
  const { page } = visit;
  await page.goto(site + at, { waitUntil: "load" });
  await follow(page, () => page.click(`form[action='${at}/step']:has(input[name=step][value=${word}]) button`));
  return settled(visit);
}

async function settled({ page }) {
  for (let tries = 0; tries < 240; tries += 1) {
    await page.goto(`${site}${at}?lang=en`, { waitUntil: "load" });
    const works = await page.$$eval("main .note", (all) => all.map((one) => one.innerText).filter((text) => text.includes(": working.")).length);
    if (!works) return page.$eval("main", (main) => main.innerText);
    await new Promise((ready) => setTimeout(ready, 500));
  }
  throw new Error("a step does not end");
}

const needs = (text, words) => { if (!text.includes(words)) throw new Error(`the page does not say: ${words}`); };
const answers = () => hospital("audit", "serve-batch", join(root, name, "requests"), join(root, name, "replies"));

// Leaves that nobody claims are opened once two officers of the hospital have signed.
function officers() {
  const [waits] = JSON.parse(hospital("audit", "list", "--json")).filter((one) => one.payer === PAYER && one.month === month && one.state !== "answered");
  for (const officer of ["li-hua", "zhao-min"]) hospital("audit", "approve", waits.request, "--as", officer);
}

async function begin(visit) {
  const { page } = visit;
  const published = join(root, `log-${month}`);
  hospital("log", "export", published);
  const keys = readFileSync(join(published, "keys"), "utf8").matchAll(/^witness (\S+) (\S+)$/gm);
  const witnesses = [...keys].map(([, who, key]) => `${who}=${key}`).join("\n");
  await page.goto(`${site}/begin`, { waitUntil: "load" });
  await walk.look(visit, "begin");
  const key = hospital("audit", "key").trim();
  const fields = { name, alliance: "demo", hospital: "h01", payer: PAYER, month, "log-key": key, witnesses, quorum: "2" };
  await send(page, "form[action='/begin']", fields, at);
  const text = await page.$eval("main", (main) => main.innerText);
  await walk.look(visit, "begun");
  return { key, witnesses, given: [...text.matchAll(/[0-9a-f]{64}/g)].map(([digest]) => digest) };
}

const browser = await open();
try {
  const folder = join(root, `lists-${month}`);
  mkdirSync(folder, { mode: 0o700 });
  const { list, settlements } = lists(folder);
  const visit = await signIn(browser, site, account, "en");
  const { page } = visit;
  await page.goto(`${site}/`, { waitUntil: "load" });
  await walk.look(visit, "audits");
  const { key, witnesses, given: [own, nonce] } = await begin(visit);
  hospital("audit", "payer", PAYER, own, "--as", "li-hua");
  hospital("close", month, "--settlements", settlements, "--mapping", mapping, "--nonce", `${PAYER}=${nonce}`);
  const book = join(folder, "book");
  for (let tries = 0; hospital("audit", "book", PAYER, month, "--out", book).trim() && tries < 30; tries += 1) {
    // Until two other organisations have seen the close, the book says so.
    await new Promise((ready) => setTimeout(ready, 2000));
  }
  await page.goto(site + at, { waitUntil: "load" });
  await send(page, `form[action='${at}/prepare']`, { paid: list, book }, at);
  needs(await settled(visit), "done.");
  await walk.look(visit, "prepared");
  answers();
  needs(await step(visit, "match"), "Match: done.");
  needs(await step(visit, "totals"), "Check the total: done.");
  needs(await step(visit, "sample"), "Open leaves: not done.");
  await walk.look(visit, "waits-for-officers");
  try { answers(); } catch { /* It says by its exit code that leaves wait for its officers. */ }
  officers();
  answers();
  needs(await step(visit, "sample"), "Open leaves: done.");
  needs(await step(visit, "report"), "Write the report: done.");
  needs(await step(visit, "verify"), "Verify the pack: done.");
  await walk.look(visit, "reported");
  const tar = await page.evaluate(async (address) => {
    const answer = await fetch(address);
    if (answer.status !== 200) throw new Error(`the pack: ${answer.status}`);
    const all = new Uint8Array(await answer.arrayBuffer());
    let text = "";
    for (let from = 0; from < all.length; from += 32768) text += String.fromCharCode(...all.subarray(from, from + 32768));
    return btoa(text);
  }, `${at}/pack`);
  writeFileSync(join(folder, "pack.tar"), Buffer.from(tar, "base64"));
  command("tar", "-x", "-f", join(folder, "pack.tar"), "-C", folder);
  const known = witnesses.split("\n").flatMap((one) => ["--witness", one]);
  const verified = command(coordinator, "audit", "verify", join(folder, "pack"), "--log-key", key, ...known, "--quorum", "2");
  if (!verified.startsWith("believed: 3 findings")) throw new Error(`the command says of the pack: ${verified}`);
  await page.goto(`${site}/`, { waitUntil: "load" });
  await walk.look(visit, "audits-after");
} finally {
  await browser.close();
}
walk.end("from list to evidence pack");
