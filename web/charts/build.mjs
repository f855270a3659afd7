// Makes one script of charts.js and of what it uses of ECharts, packed as it is sent.
import { build } from "esbuild";
import { mkdirSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const made = await build({
  entryPoints: ["charts.js"],
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome90", "firefox90", "safari15"],
  legalComments: "none",
  // Its licence asks to be named in what is handed on.
  banner: { js: "/* Apache ECharts, zrender and tslib in part; Apache-2.0, BSD-3-Clause, 0BSD */" },
  define: { "process.env.NODE_ENV": '"production"' },
  write: false,
});
const packed = gzipSync(made.outputFiles[0].contents, { level: 9 });
mkdirSync("made", { recursive: true });
writeFileSync("made/charts.js.gz", packed);
console.log(`charts: ${Math.round(made.outputFiles[0].contents.length / 1024)} KiB, ${Math.round(packed.length / 1024)} KiB packed`);
