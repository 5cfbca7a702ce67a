import test from 'ava';
import { nearestEndpoints } from '../../../sim/cluster/ztunnel.js';

const client = { locality: 'eu/a/rack1', node: 'n1' };

function chosen(
  places: readonly string[],
  distribution: 'PreferSameZone' | 'PreferSameNode' | null,
): readonly string[] {
  const endpoints = places.map((place) => {
    const [locality, node] = place.split(' ') as [string, string];
    return { zone: locality.split('/').slice(0, 2).join('/'), locality, node, healthy: !place.endsWith('down') };
  });
  return nearestEndpoints(endpoints, distribution, client).map(({ locality, node }) => `${locality} ${node}`);
}

test('B14: without a distribution a ztunnel takes every ready endpoint', (t) => {
  t.deepEqual(chosen(['eu/a/rack1 n1', 'us/z n9', 'eu/b n4 down'], null), ['eu/a/rack1 n1', 'us/z n9']);
});

test('A6, B14: PreferSameZone looks at region and zone, not at the rack', (t) => {
  t.deepEqual(chosen(['eu/a/rack2 n2', 'eu/a/rack1 n1', 'eu/b n4'], 'PreferSameZone'), [
    'eu/a/rack2 n2',
    'eu/a/rack1 n1',
  ]);
  t.deepEqual(chosen(['eu/b n4', 'us/z n9'], 'PreferSameZone'), ['eu/b n4']);
  t.deepEqual(chosen(['us/z n9', 'us/y n8'], 'PreferSameZone'), ['us/z n9', 'us/y n8']);
});

test('A6, B14: PreferSameNode goes on with rack and node, and leaves each for the next only when it is empty', (t) => {
  const all = ['eu/a/rack1 n1', 'eu/a/rack1 n2', 'eu/a/rack2 n3', 'eu/b n4', 'us/z n9'];
  for (let gone = 0; gone < all.length; gone++)
    t.deepEqual(chosen(all.slice(gone), 'PreferSameNode'), [all[gone]!], `without the first ${gone}`);
  t.deepEqual(chosen([], 'PreferSameNode'), []);
});
