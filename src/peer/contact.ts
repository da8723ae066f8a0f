/**
 * The address that services such as NCBI want to know for whoever sends them many requests. The top-level domain is
 * reserved for names that do not exist (RFC 2606): whoever runs a relay for others sets a real one.
 */
export const DEFAULT_CONTACT = 'unset@tabmesh.invalid';
