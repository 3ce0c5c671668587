/**
 * Mocha's spec reporter that also writes mocha's own counts to a file, for the closing line of `npm test`.
 */
const { writeFileSync } = require('node:fs')
const { reporters } = require('mocha')

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    runner.once('end', () => writeFileSync(options.reporterOptions.output, JSON.stringify({ stats: this.stats })))
  }
}
