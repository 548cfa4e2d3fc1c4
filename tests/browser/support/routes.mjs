// The product's own route table, as one of its tests has written it down, and which of its routes a request goes to.

import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { project } from './keydesk.mjs';

const file = resolve(project, process.env.CARGO_TARGET_DIR ?? 'target', 'tmp', 'routes.json');

/** What a scene must have been to: everything but HEAD, which is GET without its end, and the assets. */
export async function routes() {
  const table = JSON.parse(
    await readFile(file, 'utf8').catch(() => {
      throw new Error(`${file} is missing. Run \`make browser\`, or once: cargo test --test it -- the_route_table`);
    }),
  );
  return table.filter(([method, path]) => method !== 'HEAD' && !path.startsWith('/assets/')).map(([method, path]) => new Route(method, path));
}

class Route {
  #pattern;

  constructor(method, path) {
    Object.assign(this, { method, path, name: `${method} ${path}` });
    this.#pattern = new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
  }

  takes(method, path) {
    return method === this.method && this.#pattern.test(path);
  }
}

/** Of several that take it the one with the fewest parameters, as the server chooses. */
export function routeOf(all, method, path) {
  const parameters = (route) => route.path.split('{').length;
  return all.filter((route) => route.takes(method, path)).sort((one, other) => parameters(one) - parameters(other))[0];
}
