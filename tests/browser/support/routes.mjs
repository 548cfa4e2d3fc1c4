// The route table of the product, written by one of its tests, and the route of a request.

import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { project } from './keydesk.mjs';

const file = resolve(project, process.env.CARGO_TARGET_DIR ?? 'target', 'tmp', 'routes.json');

/** The routes that need a scene: all but HEAD, which follows GET, and the assets. */
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

  matches(method, path) {
    return method === this.method && this.#pattern.test(path);
  }
}

/** The matching route with the fewest parameters, which the server chooses, too. */
export function routeOf(all, method, path) {
  const parameters = (route) => route.path.split('{').length;
  return all.filter((route) => route.matches(method, path)).sort((one, other) => parameters(one) - parameters(other))[0];
}
