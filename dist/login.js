require('./index.js').login()
