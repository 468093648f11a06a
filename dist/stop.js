require('./index.js').stop()
