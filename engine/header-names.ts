/** Whether a match of a VirtualService on headers speaks of one that a request may have here: no claim of a token, nothing of the request line. */
export function isPlainHeader(name: string): boolean {
  return !/^[:@]/.test(name) && !['uri', 'scheme', 'method', 'authority', 'host'].includes(name.toLowerCase());
}
