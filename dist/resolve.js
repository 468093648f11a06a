require('./index.js').resolve()
