// Made from the Rust crate gatehouse-api; do not edit. Refresh: scripts/types
/* eslint-disable */
export {};
//# sourceMappingURL=api.js.map