// Takes a module of the page's sources into Node.
import esbuild from "esbuild";
import { fileURLToPath } from "node:url";

export async function source(path) {
  const { outputFiles } = await esbuild.build({
    absWorkingDir: fileURLToPath(new URL("../..", import.meta.url)),
    entryPoints: [path],
    bundle: true,
    format: "esm",
    write: false,
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}
