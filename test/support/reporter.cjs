/**
 * Mocha's spec reporter that also writes mocha's own counts to a file, in all and for each test file, for the closing
 * lines of `npm test`. A failure outside any file, a crash of a worker for example, has no file.
 */
const { writeFileSync } = require('node:fs')
const { relative } = require('node:path')
const { reporters } = require('mocha')

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    const files = {}
    const failures = []
    const countsOf = ({ file }) => {
      const name = file ? relative(process.cwd(), file) : ''
      files[name] ??= { passes: 0, failures: 0, pending: 0, ms: 0 }
      return files[name]
    }
    runner.on('pass', test => {
      const counts = countsOf(test)
      counts.passes++
      counts.ms += test.duration ?? 0
    })
    runner.on('pending', test => countsOf(test).pending++)
    runner.on('fail', test => {
      countsOf(test).failures++
      failures.push({ file: test.file ? relative(process.cwd(), test.file) : '', title: test.fullTitle() })
    })
    const write = () =>
      writeFileSync(options.reporterOptions.output, JSON.stringify({ stats: this.stats, files, failures }))
    runner.once('end', write)
  }
}
