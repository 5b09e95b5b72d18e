// Which engine the page has. The static site replaces this file alone.
export { connect } from "./engine/native.js";
