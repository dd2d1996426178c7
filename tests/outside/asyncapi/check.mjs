// Reads an AsyncAPI document from standard input; says what the official parser finds wrong, one JSON object.
import { Parser } from "@asyncapi/parser";
import { readFileSync } from "node:fs";

const { document, diagnostics } = await new Parser().parse(readFileSync(0, "utf8"));
const errors = diagnostics.filter((each) => each.severity === 0);
const channels = document ? document.channels().all().map((each) => each.address()) : [];
console.log(JSON.stringify({ errors: errors.map((each) => `${each.path.join(".")}: ${each.message}`), channels }));
