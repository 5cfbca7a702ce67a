/** Localities as Istio writes them, `region/zone/subzone` with `*` for any, against zones written `region/zone`. */

/** `rule` is `region`, `region/zone` or `region/zone/subzone`, each part may be `*`; `zoneName` is `region/zone`. */
export function matchesLocality(rule: string, zoneName: string): boolean {
  const [ruleRegion, ruleZone = '', ruleSubzone = ''] = rule.split('/');
  const { region, zone } = splitZone(zoneName);
  return (
    (ruleRegion === '*' || ruleRegion === region) &&
    (ruleZone === '*' || ruleZone === '' || ruleZone === zone) &&
    // Nodes carry no subzone here, so a rule that names one matches nobody.
    (ruleSubzone === '*' || ruleSubzone === '')
  );
}

export function splitZone(zoneName: string): { readonly region: string; readonly zone: string } {
  const slash = zoneName.indexOf('/');
  return slash < 0
    ? { region: zoneName, zone: '' }
    : { region: zoneName.slice(0, slash), zone: zoneName.slice(slash + 1) };
}
